// Publishes one file and ends: the process that the crash and trace tests kill, fail and watch.
//   publish_once DATA [PAYLOAD_BYTES]
// Exit codes: 0 published, 1 the publication failed, 2 usage, 3 another process publishes, 4 published or
// not: unknown.

#include <cstdio>
#include <cstdlib>
#include <string>

#include "queue/publisher.h"

using heliograph::Volume;
using heliograph::queue::EnvelopeFields;
using heliograph::queue::Kind;
using heliograph::queue::OpenPublisherError;
using heliograph::queue::Publisher;
using heliograph::queue::PublishFault;

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const std::string payload(argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 64, 'x');

  const auto publisher = Publisher::Open(Volume(argv[1]), "publish-once");
  if (!publisher) {
    std::fprintf(stderr, "%s\n", publisher.error().text.c_str());
    return publisher.error().fault == OpenPublisherError::Fault::kHeldByAnother ? 3 : 1;
  }
  EnvelopeFields fields;
  fields.kind = Kind::kItemBatch;
  fields.stream = "items";
  fields.epoch = "epoch";
  fields.actor = "test";
  fields.created_at = heliograph::WallClockNow();
  const auto published = (*publisher)->Publish(fields, payload);
  if (published) return 0;
  std::fprintf(stderr, "%s\n", published.error().text.c_str());
  return published.error().fault == PublishFault::kDurabilityUnknown ? 4 : 1;
}
