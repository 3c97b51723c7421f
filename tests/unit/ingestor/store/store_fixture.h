#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "common/advert.h"
#include "ingestor/prepared.h"
#include "ingestor/store/mesh_store.h"
#include "tests/support/temporary_folder.h"

namespace heliograph::ingestor {

/// A moment that the tests count from.
inline constexpr UtcMillis kNoon{std::chrono::milliseconds(1'750'000'000'000)};

/// The key whose every byte is `fill`.
PublicKey KeyOf(std::uint8_t fill);

/// A flood packet of one payload byte, heard by the observer KeyOf(observer) after `hops` hops of one byte
/// each.
PreparedPacket HeardPacket(std::uint8_t payload, std::uint8_t observer, std::size_t hops,
                           UtcMillis at = kNoon);

/// An advert of the node KeyOf(node), as a packet that KeyOf(0xEE) heard. Not signed: the stores do not look.
PreparedPacket HeardAdvert(std::uint8_t node, const std::string& name, std::uint32_t timestamp,
                           UtcMillis at = kNoon);

/// A migrated database of its own with the stores on it.
class StoreTest : public ::testing::Test {
 protected:
  StoreTest();

  /// Stores the messages in one transaction.
  template <class... Messages>
  void Store(const Messages&... messages) {
    StoreTransaction transaction(*store_);
    (store_->Take(Prepared(messages)), ...);
    transaction.Commit();
  }

  std::int64_t Count(const std::string& table_and_condition);
  std::string Text(const std::string& query);

  testing::TemporaryFolder folder_;
  std::unique_ptr<MeshStore> store_;
};

}  // namespace heliograph::ingestor
