#include "broker.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "source_fixtures.h"

namespace heliograph::ingestor {
namespace {

/// Runs a program to its end; its output goes to `log`.
int Run(const std::vector<std::string>& command, const std::filesystem::path& log) {
  const pid_t child = fork();
  if (child == 0) {
    const int output = open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    std::vector<char*> arguments;
    for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

int Listen(std::uint16_t* port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener, 16) != 0) {
    throw std::runtime_error("can't listen on loopback");
  }
  socklen_t size = sizeof address;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  *port = ntohs(address.sin_port);
  return listener;
}

int Dial(std::uint16_t port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return descriptor;
  close(descriptor);
  return -1;
}

constexpr int kMostAttempts = 10;
constexpr const char* kRunning = " running";  // the end of mosquitto's line once all its listeners are open

std::size_t CountLines(const std::string& text, const std::string& ending) {
  std::istringstream lines(text);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line);) count += line.ends_with(ending) ? 1 : 0;
  return count;
}

void MakeCertificates(const std::filesystem::path& folder) {
  const auto file = [&](const char* name) { return (folder / name).string(); };
  std::ofstream(folder / "names.cnf") << "subjectAltName=DNS:localhost,IP:127.0.0.1\n";
  const std::vector<std::vector<std::string>> commands = {
      {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
       "-days", "2", "-subj", "/CN=Test CA", "-keyout", file("ca.key"), "-out", file("ca.pem")},
      {"openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
       "/CN=localhost", "-keyout", file("server.key"), "-out", file("server.csr")},
      {"openssl", "x509", "-req", "-days", "2", "-in", file("server.csr"), "-CA", file("ca.pem"), "-CAkey",
       file("ca.key"), "-CAcreateserial", "-extfile", file("names.cnf"), "-out", file("server.pem")}};
  for (const auto& command : commands) {
    if (Run(command, folder / "openssl.log") != 0)
      throw std::runtime_error("openssl can't make a certificate");
  }
}

}  // namespace

std::uint16_t FreePort() {
  static std::mt19937 generator(std::random_device{}());
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  std::uniform_int_distribution<int> ports(20'000, 32'000);
  for (;;) {
    const auto port = static_cast<std::uint16_t>(ports(generator));
    const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Loopback(port);
    const bool free = bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(probe);
    if (free) return port;
  }
}

bool Broker::IsInstalled() {
  if (Run({"mosquitto", "-h"}, "/dev/null") != 127 && Run({"mosquitto_pub", "--help"}, "/dev/null") != 127) {
    return true;
  }
  std::cout << "mosquitto or mosquitto_pub is not installed: the tests with a real broker are skipped\n";
  return false;
}

Broker::Broker(bool tls, const std::string& password) {
  std::string pattern = (std::filesystem::temp_directory_path() / "heliograph-broker-XXXXXX").string();
  folder_ = mkdtemp(pattern.data());
  if (tls) MakeCertificates(folder_);
  // Another program may take a port between the look and the listening.
  for (int attempt = 1;; ++attempt) {
    ports_ = {FreePort(), FreePort(), FreePort(), FreePort()};
    WriteConfiguration(tls, password);
    if (TryStart()) return;
    if (attempt == kMostAttempts) throw std::runtime_error("mosquitto does not start: " + Log());
  }
}

void Broker::WriteConfiguration(bool tls, const std::string& password) {
  std::ofstream conf(folder_ / "mosquitto.conf");
  // Started by root it would become another user, who can't read this folder.
  conf << "user root\npersistence true\npersistence_location " << folder_.string() << "/\n"
       << "queue_qos0_messages true\nmax_queued_messages 0\nlog_type all\nlog_dest stderr\nset_tcp_nodelay "
          "true\n";
  if (password.empty()) {
    conf << "allow_anonymous true\n";
  } else {
    std::ofstream(folder_ / "passwords") << "observer:" << password << "\n";
    Run({"mosquitto_passwd", "-U", (folder_ / "passwords").string()}, folder_ / "passwd.log");
    conf << "allow_anonymous false\npassword_file " << (folder_ / "passwords").string() << "\n";
  }
  conf << "listener " << ports_.tcp << " 127.0.0.1\n"
       << "listener " << ports_.ws << " 127.0.0.1\nprotocol websockets\n";
  if (!tls) return;
  const std::string keys = "cafile " + ca_file().string() + "\ncertfile " +
                           (folder_ / "server.pem").string() + "\nkeyfile " +
                           (folder_ / "server.key").string() + "\n";
  conf << "listener " << ports_.tls << " 127.0.0.1\n" << keys;
  conf << "listener " << ports_.wss << " 127.0.0.1\nprotocol websockets\n" << keys;
}

Broker::~Broker() {
  Stop();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Broker::Start() {
  if (!TryStart()) throw std::runtime_error("mosquitto does not start: " + Log());
}

bool Broker::TryStart() {
  const std::size_t lines_before = CountLines(Log(), kRunning);
  process_ = fork();
  if (process_ == 0) {
    const int log = open((folder_ / "log").c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
    dup2(log, STDERR_FILENO);
    dup2(log, STDOUT_FILENO);
    execlp("mosquitto", "mosquitto", "-c", (folder_ / "mosquitto.conf").c_str(), nullptr);
    _exit(127);
  }
  // Its log tells that it listens itself; whoever answers on the port may be another.
  bool ended = false;
  const bool decided = Eventually([&] {
    ended = waitpid(process_, nullptr, WNOHANG) == process_;
    return ended || CountLines(Log(), kRunning) > lines_before;
  });
  if (ended) process_ = -1;
  if (!decided) Stop();
  return decided && !ended;
}

void Broker::Stop() {
  if (process_ <= 0) return;
  kill(process_, SIGTERM);
  waitpid(process_, nullptr, 0);
  process_ = -1;
}

std::string Broker::Log() const {
  std::ostringstream text;
  text << std::ifstream(folder_ / "log").rdbuf();
  return text.str();
}

void Publish(std::uint16_t port, const std::string& topic, const std::vector<std::string>& payloads, int qos,
             bool retained) {
  const std::string command = "mosquitto_pub -h 127.0.0.1 -p " + std::to_string(port) + " -t '" + topic +
                              "' -q " + std::to_string(qos) + (retained ? " -r" : "") + " -l";
  FILE* publisher = popen(command.c_str(), "w");
  if (publisher == nullptr) throw std::runtime_error("can't start mosquitto_pub");
  for (const std::string& payload : payloads) std::fprintf(publisher, "%s\n", payload.c_str());
  if (pclose(publisher) != 0) throw std::runtime_error("mosquitto_pub failed");
}

struct Hop::State {
  struct Link {
    int client = -1, server = -1;
    std::atomic<bool> frozen = false;
    std::thread thread;
  };
  std::uint16_t target = 0, port = 0;
  int listener = -1;
  std::atomic<bool> stopping = false;
  mutable std::mutex mutex;
  std::vector<std::unique_ptr<Link>> links;
  std::thread acceptor;

  void Accept() {
    while (!stopping) {
      pollfd waiting{listener, POLLIN, 0};
      if (poll(&waiting, 1, 10) <= 0) continue;
      auto link = std::make_unique<Link>();
      link->client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      link->server = Dial(target);
      Link* started = link.get();
      link->thread = std::thread([this, started] { Forward(*started); });
      const std::lock_guard lock(mutex);
      links.push_back(std::move(link));
    }
  }

  void Forward(Link& link) {
    std::vector<char> buffer(1 << 16);
    while (!stopping) {
      pollfd waiting[] = {{link.client, POLLIN, 0}, {link.server, POLLIN, 0}};
      if (poll(waiting, 2, 10) <= 0 || link.frozen) {
        if (link.frozen) std::this_thread::sleep_for(std::chrono::milliseconds(5));
        continue;
      }
      for (int side = 0; side < 2; ++side) {
        if (waiting[side].revents == 0) continue;
        const ssize_t count = read(waiting[side].fd, buffer.data(), buffer.size());
        const int other = side == 0 ? link.server : link.client;
        if (count <= 0 ||
            send(other, buffer.data(), static_cast<std::size_t>(count), MSG_NOSIGNAL) != count) {
          shutdown(link.client, SHUT_RDWR);
          shutdown(link.server, SHUT_RDWR);
          return;
        }
      }
    }
  }
};

Hop::Hop(std::uint16_t target) : state_(new State) {
  state_->target = target;
  state_->listener = Listen(&state_->port);
  state_->acceptor = std::thread([this] { state_->Accept(); });
}

Hop::~Hop() {
  const std::unique_ptr<State> state(state_);
  state->stopping = true;
  state->acceptor.join();
  close(state->listener);
  for (const auto& link : state->links) {
    link->thread.join();
    close(link->client);
    close(link->server);
  }
}

std::uint16_t Hop::port() const {
  return state_->port;
}

void Hop::FreezePresentConnections() {
  const std::lock_guard lock(state_->mutex);
  for (const auto& link : state_->links) link->frozen = true;
}

std::size_t Hop::ConnectionCount() const {
  const std::lock_guard lock(state_->mutex);
  return state_->links.size();
}

}  // namespace heliograph::ingestor
