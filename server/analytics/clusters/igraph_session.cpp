#include "server/analytics/clusters/igraph_session.h"

#include <algorithm>
#include <new>
#include <stdexcept>
#include <string>

namespace heliograph::server {
namespace {

std::mutex& TheMutex() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

IgraphSession::IgraphSession(std::uint64_t seed)
    : lock_(TheMutex()),
      former_handler_(igraph_set_error_handler(igraph_error_handler_ignore)),
      former_warning_(igraph_set_warning_handler(igraph_warning_handler_ignore)) {
  // The only error that it has is one of its state, which is static.
  igraph_rng_seed(igraph_rng_default(), static_cast<igraph_uint_t>(seed));
}

IgraphSession::~IgraphSession() {
  igraph_set_warning_handler(former_warning_);
  igraph_set_error_handler(former_handler_);
}

void IgraphSession::Check(igraph_error_t code, const char* what) const {
  if (code == IGRAPH_SUCCESS) return;
  if (code == IGRAPH_ENOMEM) throw std::bad_alloc();
  throw std::runtime_error(std::string(what) + ": igraph says: " + igraph_strerror(code));
}

IgraphReals::IgraphReals(const IgraphSession& session, const std::vector<double>& values) {
  session.Check(igraph_vector_init(&vector_, static_cast<igraph_integer_t>(values.size())), "a vector");
  std::copy(values.begin(), values.end(), VECTOR(vector_));
}

IgraphIntegers::IgraphIntegers(const IgraphSession& session, std::size_t size) {
  session.Check(igraph_vector_int_init(&vector_, static_cast<igraph_integer_t>(size)),
                "a vector of integers");
}

IgraphGraph::IgraphGraph(const IgraphSession& session, const ItemGraph& graph) {
  IgraphIntegers ends(session, graph.edges().size() * 2);
  for (std::size_t i = 0; i < graph.edges().size(); ++i) {
    ends[2 * i] = static_cast<igraph_integer_t>(graph.edges()[i].a);
    ends[2 * i + 1] = static_cast<igraph_integer_t>(graph.edges()[i].b);
  }
  const auto size = static_cast<igraph_integer_t>(graph.size());
  session.Check(igraph_create(&graph_, ends.get(), size, IGRAPH_UNDIRECTED), "a graph of the items");
}

}  // namespace heliograph::server
