#include "ingestor/mqtt_source.h"

#include <utility>

#include "ingestor/mqtt_session.h"

namespace heliograph::ingestor {

MqttSource::MqttSource(MqttSourceConfig config, SourceIndex index, Options options)
    : session_(std::make_unique<Session>(std::move(config), index, std::move(options))) {}

MqttSource::~MqttSource() {
  Stop();
}

void MqttSource::Start(MessageSink& sink) {
  session_->Start(sink);
}

void MqttSource::Stop() {
  session_->Stop();
}

SourceStatus MqttSource::Status() const {
  return session_->Status();
}

SourceAlarm MqttSource::Alarm() const {
  return session_->Alarm();
}

}  // namespace heliograph::ingestor
