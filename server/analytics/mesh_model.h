#pragma once

#include "server/analytics/capability_model.h"
#include "server/analytics/hop_resolver.h"
#include "server/analytics/relay_evidence.h"
#include "server/analytics/station_directory.h"

namespace heliograph::server {

/// What was concluded from all floods up to some moment, and from what. Made once in an analytics cycle and
/// then shared; immutable, so that any thread may ask it.
struct MeshModel {
  StationDirectory stations;
  RelayEvidence relays;
  ModelResult capability;

  HopResolver resolver() const { return {stations, relays}; }
};

}  // namespace heliograph::server
