#include "ingestor/prepared.h"

namespace heliograph::ingestor {

std::string_view Name(DropReason reason) {
  switch (reason) {
    case DropReason::kMalformedJson:
      return "malformed_json";
    case DropReason::kUnsupportedTopic:
      return "unsupported_topic";
    case DropReason::kOriginMismatch:
      return "origin_mismatch";
    case DropReason::kBlacklistedObserver:
      return "blacklisted_observer";
    case DropReason::kIataNotAllowed:
      return "iata_not_allowed";
    case DropReason::kFilteredBySource:
      return "filtered_by_source";
    case DropReason::kMissingRaw:
      return "missing_raw";
    case DropReason::kInvalidHex:
      return "invalid_hex";
    case DropReason::kInvalidFrame:
      return "invalid_frame";
    case DropReason::kInvalidAdvert:
      return "invalid_advert";
    case DropReason::kInvalidSignature:
      return "invalid_signature";
    case DropReason::kOutsideGeoFilter:
      return "outside_geo_filter";
    case DropReason::kOversized:
      return "oversized";
  }
  return "unknown";
}

}  // namespace heliograph::ingestor
