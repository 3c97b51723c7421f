#pragma once

#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

namespace heliograph::ingestor {

/// A line for each rule that does not hold in the database: the rule, how many rows break it, and the first
/// of them. Empty when all is well. Reads only; REQUIRED: a transaction is open, so that all rules see one
/// moment.
std::vector<std::string> BrokenRules(SQLite::Database& database);

}  // namespace heliograph::ingestor
