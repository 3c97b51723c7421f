#include "server/http/route.h"

#include <utility>

namespace heliograph::server {

ParameterDoc LimitDoc(std::int64_t fallback, std::int64_t maximum) {
  ParameterDoc doc;
  doc.name = "limit";
  doc.description =
      "Rows in the answer. Larger values are lowered to the maximum; what is no positive number gives the "
      "default.";
  doc.type = ParameterType::kInteger;
  doc.minimum = 1;
  doc.maximum = maximum;
  doc.fallback = fallback;
  return doc;
}

ParameterDoc OffsetDoc() {
  ParameterDoc doc;
  doc.name = "offset";
  doc.description = "Rows to leave out at the beginning.";
  doc.type = ParameterType::kInteger;
  doc.minimum = 0;
  doc.fallback = 0;
  return doc;
}

ParameterDoc CursorDoc() {
  return TextDoc("cursor", "The `next` of the page before.");
}

ParameterDoc RegionDoc() {
  return TextDoc(
      "region",
      "IATA codes of the observers that heard the packet, joined by commas. ALL or nothing is no filter.");
}

ParameterDoc AsOfDoc() {
  return TextDoc(
      "as_of",
      "A commit's id, seq:<number>, pin:<name> or an RFC 3339 time: the answer as it would have been "
      "then. 410 when that is no longer kept; its floor_seq names the oldest commit that is.");
}

ParameterDoc BranchDoc() {
  return TextDoc("branch", "The branch that is asked about; main when it is left out.");
}

ParameterDoc TextDoc(std::string name, std::string description, std::vector<std::string> choices) {
  ParameterDoc doc;
  doc.name = std::move(name);
  doc.description = std::move(description);
  doc.choices = std::move(choices);
  return doc;
}

}  // namespace heliograph::server
