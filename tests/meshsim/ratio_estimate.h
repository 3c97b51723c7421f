#pragma once

#include <cstddef>
#include <optional>

namespace heliograph::meshsim {

/// A ratio with its standard error.
struct Share {
  std::optional<double> value;  ///< nothing when the denominator is 0
  double standard_error = 0;
};

/// Estimates the ratio of two sums over all origins of a mesh from pairs that are drawn for each origin, the
/// same number for each.
class RatioEstimate {
 public:
  /// A draw of the present origin.
  void Add(double numerator, double denominator);
  /// Ends the draws of one origin. REQUIRED: it had two or more.
  void EndOrigin();

  /// `population` is the number of origins that there are. When draws were made for all of them, the error is
  /// that of the draws alone; when for a random sample, the choice of the sample counts too.
  Share Result(std::size_t population) const;

 private:
  /// Sums of squares and products, from which those of (numerator - ratio * denominator) follow for any
  /// ratio.
  struct Moments {
    double nn = 0, nd = 0, dd = 0;
    void Add(double n, double d, double weight);
    double Residual(double ratio) const { return nn - 2 * ratio * nd + ratio * ratio * dd; }
  };
  std::size_t origins_ = 0, draws_of_origin_ = 0;
  double numerator_ = 0, denominator_ = 0;                      ///< of all origins that ended
  double numerator_of_origin_ = 0, denominator_of_origin_ = 0;  ///< of the present one
  Moments draws_of_origin_moments_;
  Moments within_;   ///< the variance of the origins' sums by chance
  Moments between_;  ///< the squares of the origins' sums
};

}  // namespace heliograph::meshsim
