// What the HTTP server does at best: the same server with a handler that does nothing, and with one that
// hands out bytes from memory. The ceiling of every route.

#include <signal.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "server/http/http_server.h"

namespace heliograph::server {
namespace {

/// `/empty` and `/bytes`.
Response Answer(const Request& request, const std::shared_ptr<const std::string>& bytes) {
  Response response;
  if (request.path == "/bytes") {
    response.body = bytes;
  } else if (request.path != "/empty") {
    response.status = 404;
  }
  return response;
}

int Serve(const std::string& body_file) {
  std::ifstream file(body_file, std::ios::binary);
  if (!file) {
    std::cerr << "http_ceiling: cannot read " << body_file << '\n';
    return 1;
  }
  const auto bytes = std::make_shared<const std::string>(std::istreambuf_iterator<char>(file),
                                                         std::istreambuf_iterator<char>());
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);

  HttpServer server(HttpLimits(), [bytes](const Request& request) { return Answer(request, bytes); });
  const ListenAddress address = server.Listen(ListenAddress());
  std::cout << "listening on http://" << address.ToText() << std::endl;
  int signal = 0;
  sigwait(&ending, &signal);
  server.Stop();
  return 0;
}

}  // namespace
}  // namespace heliograph::server

int main(int argc, char** argv) {
  CLI::App program(
      "Serves nothing at /empty and the bytes of a file at /bytes, on a loopback port of the kernel's "
      "choice");
  std::string body;
  program.add_option("--body", body, "the file whose bytes are served")->required();
  CLI11_PARSE(program, argc, argv);
  try {
    return heliograph::server::Serve(body);
  } catch (const std::exception& error) {
    std::cerr << "http_ceiling: " << error.what() << '\n';
    return 1;
  }
}
