#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include <igraph.h>

#include "server/analytics/clusters/item_graph.h"

namespace heliograph::server {

/// The sole right to call igraph, for as long as it lives. Debian builds igraph without thread safety: its
/// error handler, its stack of things to free and its random numbers are global. Inside a session errors come
/// back as codes instead of ending the process, and the random numbers begin with `seed`. Waits for the
/// session of another thread to end.
class IgraphSession {
 public:
  explicit IgraphSession(std::uint64_t seed);
  ~IgraphSession();
  IgraphSession(const IgraphSession&) = delete;
  IgraphSession& operator=(const IgraphSession&) = delete;

  /// Throws std::bad_alloc when `code` is want of memory and std::runtime_error, with igraph's words, for any
  /// other error. `what` says what was tried.
  void Check(igraph_error_t code, const char* what) const;

 private:
  std::unique_lock<std::mutex> lock_;
  igraph_error_handler_t* former_handler_;
  igraph_warning_handler_t* former_warning_;
};

/// A vector of igraph's numbers. Made and filled inside a session; it may end outside of one.
class IgraphReals {
 public:
  IgraphReals(const IgraphSession& session, const std::vector<double>& values);
  ~IgraphReals() { igraph_vector_destroy(&vector_); }
  IgraphReals(const IgraphReals&) = delete;
  IgraphReals& operator=(const IgraphReals&) = delete;

  const igraph_vector_t* get() const { return &vector_; }

 private:
  igraph_vector_t vector_;
};

/// The same of its integers.
class IgraphIntegers {
 public:
  IgraphIntegers(const IgraphSession& session, std::size_t size);
  ~IgraphIntegers() { igraph_vector_int_destroy(&vector_); }
  IgraphIntegers(const IgraphIntegers&) = delete;
  IgraphIntegers& operator=(const IgraphIntegers&) = delete;

  igraph_vector_int_t* get() { return &vector_; }
  igraph_integer_t& operator[](std::size_t i) { return VECTOR(vector_)[i]; }
  igraph_integer_t operator[](std::size_t i) const { return VECTOR(vector_)[i]; }

 private:
  igraph_vector_int_t vector_;
};

/// An ItemGraph without its weights, with the same numbers for vertices and edges. Made inside a session; it
/// may end outside of one.
class IgraphGraph {
 public:
  IgraphGraph(const IgraphSession& session, const ItemGraph& graph);
  ~IgraphGraph() { igraph_destroy(&graph_); }
  IgraphGraph(const IgraphGraph&) = delete;
  IgraphGraph& operator=(const IgraphGraph&) = delete;

  const igraph_t* get() const { return &graph_; }

 private:
  igraph_t graph_;
};

}  // namespace heliograph::server
