// Publishes the messages of a capture to a broker as fast as the broker takes them. Everything is encoded
// before the clock starts, so that the publisher costs next to nothing. Prints one line of JSON.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#include <simdjson.h>
#include <CLI/CLI.hpp>

namespace heliograph {
namespace {

// MQTT 3.1.1, section 3.
constexpr char kConnect = 0x10;
constexpr char kPublish = 0x30;
constexpr unsigned char kPubAck = 0x40;
constexpr std::size_t kPubAckBytes = 4;
constexpr std::size_t kConnAckBytes = 4;
constexpr std::string_view kDisconnect{"\xE0\x00", 2};
// The identifier of a packet in flight; it is free again long before it comes round.
constexpr std::uint16_t kMaxPacketId = std::numeric_limits<std::uint16_t>::max();

void AppendLength(std::string& out, std::size_t length) {
  do {
    const auto digit = static_cast<unsigned char>(length % 128);
    length /= 128;
    out += static_cast<char>(length > 0 ? digit | 0x80U : digit);
  } while (length > 0);
}

void AppendNumber(std::string& out, std::size_t number) {
  out += static_cast<char>(number >> 8 & 0xFF);
  out += static_cast<char>(number & 0xFF);
}

struct Stream {
  std::string bytes;
  std::size_t messages = 0;
};

void AppendPublish(Stream& stream, std::string_view topic, std::string_view payload, int qos) {
  stream.bytes += static_cast<char>(kPublish | qos << 1);
  AppendLength(stream.bytes, 2 + topic.size() + (qos > 0 ? 2 : 0) + payload.size());
  AppendNumber(stream.bytes, topic.size());
  stream.bytes += topic;
  if (qos > 0) AppendNumber(stream.bytes, stream.messages % kMaxPacketId + 1);
  stream.bytes += payload;
  ++stream.messages;
}

Stream Encode(const std::string& capture, std::size_t limit, int qos) {
  std::ifstream file(capture);
  if (!file) throw std::runtime_error("cannot read " + capture);
  Stream stream;
  simdjson::ondemand::parser parser;
  std::string line;
  while (stream.messages < limit && std::getline(file, line)) {
    line.reserve(line.size() + simdjson::SIMDJSON_PADDING);
    auto document = parser.iterate(line);
    const std::string topic(std::string_view(document["topic"].get_string()));
    auto payload = document["payload"];
    if (payload.type() == simdjson::ondemand::json_type::string) {
      AppendPublish(stream, topic, payload.get_string(), qos);
    } else {
      AppendPublish(stream, topic, simdjson::to_json_string(payload.value()), qos);
    }
  }
  return stream;
}

class Connection {
 public:
  explicit Connection(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (socket_ < 0 || connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw std::system_error(errno, std::generic_category(), "connecting to the broker");
    }
  }
  ~Connection() { close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0) throw std::system_error(errno, std::generic_category(), "sending to the broker");
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  /// Reads so many bytes and throws them away; the first is returned.
  unsigned char Receive(std::size_t count) {
    std::array<unsigned char, 4096> buffer{};
    unsigned char first = 0;
    for (bool begun = false; count > 0; begun = true) {
      const ssize_t got = recv(socket_, buffer.data(), std::min(count, buffer.size()), 0);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) throw std::runtime_error("the broker closed the connection");
      if (!begun) first = buffer[0];
      count -= static_cast<std::size_t>(got);
    }
    return first;
  }

 private:
  int socket_;
};

std::string ConnectPacket() {
  constexpr std::string_view kClient = "capture_publisher";
  std::string body("\0\4MQTT\4\2\0\0", 10);  // protocol level 4, clean session, no keep-alive
  AppendNumber(body, kClient.size());
  body += kClient;
  std::string packet(1, kConnect);
  AppendLength(packet, body.size());
  return packet + body;
}

/// Seconds until the broker has taken everything.
double Publish(const Stream& stream, std::uint16_t port, int qos) {
  Connection connection(port);
  connection.Send(ConnectPacket());
  connection.Receive(kConnAckBytes);
  const auto begin = std::chrono::steady_clock::now();
  std::exception_ptr failure;
  std::thread acknowledgements([&] {
    try {
      if (qos > 0 && connection.Receive(kPubAckBytes * stream.messages) != kPubAck)
        throw std::runtime_error("the broker answered with something else than PUBACK");
    } catch (...) {
      failure = std::current_exception();
    }
  });
  try {
    connection.Send(stream.bytes);
  } catch (...) {
    if (!failure) failure = std::current_exception();
  }
  acknowledgements.join();
  if (failure) std::rethrow_exception(failure);
  connection.Send(kDisconnect);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  return took.count();
}

}  // namespace
}  // namespace heliograph

int main(int argc, char** argv) {
  CLI::App program("Publishes the messages of a capture to a broker on this host");
  std::string capture;
  std::uint16_t port = 0;
  int qos = 0;
  std::size_t limit = std::numeric_limits<std::size_t>::max();
  program.add_option("--capture", capture, "a capture file of JSON lines")->required();
  program.add_option("--port", port, "of the broker on loopback")->required();
  program.add_option("--qos", qos)->check(CLI::Range(0, 1))->capture_default_str();
  program.add_option("--limit", limit, "publish so many messages at most");
  CLI11_PARSE(program, argc, argv);
  try {
    const heliograph::Stream stream = heliograph::Encode(capture, limit, qos);
    std::cout << "ready" << std::endl;
    std::string go;
    std::getline(std::cin, go);  // whoever measures starts the flow
    const double seconds = heliograph::Publish(stream, port, qos);
    std::cout << "{\"messages\":" << stream.messages << ",\"seconds\":" << seconds << "}" << std::endl;
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "capture_publisher: " << error.what() << '\n';
    return 1;
  }
}
