#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

namespace heliograph::ingestor {

/// A line for each rule that does not hold in the database: the rule, how many rows break it, and the first
/// of them. Empty when all is well. Reads only; REQUIRED: a transaction is open, so that all rules see one
/// moment. `progress` is told how many of how many rules have been looked at.
std::vector<std::string> BrokenRules(
    SQLite::Database& database, const std::function<void(std::size_t done, std::size_t total)>& progress =
                                    [](std::size_t, std::size_t) {});

}  // namespace heliograph::ingestor
