#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "server/http/connection_registry.h"
#include "server/http/limits.h"
#include "server/http/response.h"
#include "server/http/socket_io.h"

namespace heliograph::server {

/// Serves all event streams on one thread, so that a thousand of them cost a thousand sockets and no thousand
/// stacks. A stream is asked for more only once its client has taken all that went before: nothing queues up,
/// and a client that does not read costs the one piece that it was sent, until the write time-out ends it.
/// Thread-safe.
class EventStreams {
 public:
  /// How often a stream that has nothing to say is asked again. Bounds the delay that the server adds to an
  /// event.
  static constexpr std::chrono::milliseconds kPeriod{50};

  /// Both outlive the streams.
  EventStreams(const HttpLimits& limits, ConnectionRegistry& registry);
  /// Stops.
  ~EventStreams();
  EventStreams(const EventStreams&) = delete;
  EventStreams& operator=(const EventStreams&) = delete;

  /// Takes a connection over: sends `head` and then what `source` has, until that ends, the client leaves or
  /// does not take anything for the write time-out, or Stop. Then the member leaves the registry. After Stop
  /// at once.
  void Adopt(UniqueFd socket, std::unique_ptr<ConnectionRegistry::Member> member, std::string head,
             std::shared_ptr<EventSource> source);

  /// Ends all streams. May be called again, and from another thread.
  void Stop();

 private:
  struct Stream {
    UniqueFd socket;
    std::unique_ptr<ConnectionRegistry::Member> member;
    std::string pending;   ///< to be sent before the source is asked again
    std::size_t sent = 0;  ///< of `pending`
    std::shared_ptr<EventSource> source;
    SteadyTime progress;  ///< when the client last took something, or nothing was due to it
    bool ended = false;   ///< the source has no more
    bool waits_for_room = false;
  };
  using Streams = std::unordered_map<int, Stream>;

  void Run();
  void TakeNewcomers();
  void HandleEvents();
  void AskAll(SteadyTime now);
  /// False when the stream is at its end.
  bool Advance(Stream& stream, SteadyTime now);
  bool Fill(Stream& stream, SteadyTime now);
  bool Flush(Stream& stream, SteadyTime now);
  void Watch(Stream& stream, bool for_room);
  void Close(Stream& stream);
  int PatienceMs() const;
  void Wake();

  const HttpLimits& limits_;
  ConnectionRegistry& registry_;
  UniqueFd epoll_, wake_;
  Streams streams_;              ///< of the thread's own
  bool asked_for_more_ = false;  ///< some stream may have more at once
  SteadyTime next_round_{};

  std::mutex mutex_;
  std::vector<Stream> newcomers_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace heliograph::server
