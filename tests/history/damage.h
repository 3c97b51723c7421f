#pragma once

#include <gmock/gmock.h>

#include "tests/history/applied_history.h"

namespace heliograph::testing {

/// What was done to a database, and how `check` names it.
struct Damage {
  const char* name;
  const char* sql;
  const char* rule;  ///< part of the rule that it breaks
  const char* row;   ///< part of the row that it names
};

/// Does the damage, and expects that the row that breaks the rule is named.
inline void ExpectNamed(AppliedHistory& history, const Damage& damage) {
  using ::testing::AllOf;
  using ::testing::Contains;
  using ::testing::HasSubstr;
  history.TakeGuardsAway();
  history.Run(damage.sql);
  EXPECT_THAT(history.BrokenRules(), Contains(AllOf(HasSubstr(damage.rule), HasSubstr(damage.row))));
}

}  // namespace heliograph::testing
