#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace heliograph::ingestor {

/// A mosquitto on loopback, in a folder of its own that goes with it. It keeps messages for absent clients.
class Broker {
 public:
  struct Ports {
    std::uint16_t tcp = 0, ws = 0, tls = 0, wss = 0;
  };

  /// False, and a reason is printed, when mosquitto is not installed.
  static bool IsInstalled();

  /// Starts it on free ports and returns when it accepts connections. With `tls`, certificates are made for
  /// it. `password`, if any, is that of the user "observer", and then nobody else may enter.
  explicit Broker(bool tls = false, const std::string& password = {});
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  /// Ends it, so that it writes its persistent state.
  void Stop();
  /// Starts it again on the same ports with its persistent state.
  void Start();

  const Ports& ports() const { return ports_; }
  std::filesystem::path ca_file() const { return folder_ / "ca.pem"; }
  /// What it printed so far; it logs every packet of the protocol.
  std::string Log() const;

 private:
  void WriteConfiguration(bool tls, const std::string& password);
  /// False when it ended at once, as it does when somebody else has one of its ports.
  bool TryStart();

  std::filesystem::path folder_;
  Ports ports_;
  pid_t process_ = -1;
};

/// A port that was free a moment ago, below those that the kernel gives to connections and to port 0, so that
/// only another caller can take it meanwhile.
std::uint16_t FreePort();

/// Publishes each payload, which has no line end, from a process of its own: Paho has one thread and one lock
/// for all clients of a process, so that a publisher in this one would wait for the source that is being
/// tested.
void Publish(std::uint16_t port, const std::string& topic, const std::vector<std::string>& payloads, int qos,
             bool retained = false);

/// A TCP hop on loopback whose forwarding can be stopped, as when a path on the internet dies without a word.
class Hop {
 public:
  explicit Hop(std::uint16_t target);
  ~Hop();
  Hop(const Hop&) = delete;
  Hop& operator=(const Hop&) = delete;

  std::uint16_t port() const;
  /// From now on nothing is forwarded on the connections that exist. Later ones are forwarded again.
  void FreezePresentConnections();
  std::size_t ConnectionCount() const;

 private:
  struct State;
  State* state_;
};

}  // namespace heliograph::ingestor
