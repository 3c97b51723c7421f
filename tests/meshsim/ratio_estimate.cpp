#include "tests/meshsim/ratio_estimate.h"

#include <algorithm>
#include <cmath>

namespace heliograph::meshsim {

void RatioEstimate::Moments::Add(double n, double d, double weight) {
  nn += weight * n * n;
  nd += weight * n * d;
  dd += weight * d * d;
}

void RatioEstimate::Add(double numerator, double denominator) {
  ++draws_of_origin_;
  numerator_of_origin_ += numerator;
  denominator_of_origin_ += denominator;
  draws_of_origin_moments_.Add(numerator, denominator, 1);
}

void RatioEstimate::EndOrigin() {
  const auto draws = static_cast<double>(draws_of_origin_);
  // The variance of a sum of n draws is n/(n-1) * (sum of squares - square of the sum / n).
  const double scale = draws / (draws - 1);
  within_.nn += scale * draws_of_origin_moments_.nn;
  within_.nd += scale * draws_of_origin_moments_.nd;
  within_.dd += scale * draws_of_origin_moments_.dd;
  within_.Add(numerator_of_origin_, denominator_of_origin_, -scale / draws);
  between_.Add(numerator_of_origin_, denominator_of_origin_, 1);
  numerator_ += numerator_of_origin_;
  denominator_ += denominator_of_origin_;
  ++origins_;
  numerator_of_origin_ = denominator_of_origin_ = 0;
  draws_of_origin_ = 0;
  draws_of_origin_moments_ = {};
}

Share RatioEstimate::Result(std::size_t population) const {
  if (denominator_ <= 0) return {};
  const double ratio = numerator_ / denominator_;
  double variance = within_.Residual(ratio);
  if (origins_ < population && origins_ > 1) {
    const auto sampled = static_cast<double>(origins_);
    variance = between_.Residual(ratio) * sampled / (sampled - 1);
  }
  return {ratio, std::sqrt(std::max(0.0, variance)) / denominator_};
}

}  // namespace heliograph::meshsim
