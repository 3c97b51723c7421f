#pragma once

#include <cstddef>
#include <vector>

#include "tests/meshsim/propagation.h"
#include "tests/meshsim/random.h"

namespace heliograph::meshsim {

/// Loses hearings on their way, so that the mean number of observations of a transmission meets an aim. Each
/// transmission keeps at least one; a mean above the natural one cannot be had.
class ObservationAim {
 public:
  /// `natural` is the mean without losses. REQUIRED: both are at least 1.
  ObservationAim(double aim, double natural);

  void Thin(std::vector<Hearing>& hearings, Random& random) const;
  /// Tells how many distinct observations a transmission ended with; 0 does not count.
  void NoteObservations(std::size_t count);

 private:
  double aim_;
  double base_;
  double error_ = 0;  ///< observations so far, less what the aim asks for
};

}  // namespace heliograph::meshsim
