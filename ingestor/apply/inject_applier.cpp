#include <sstream>

#include <nlohmann/json.hpp>

#include "ingestor/apply/applier.h"
#include "ingestor/capture_line.h"

namespace heliograph::ingestor {
namespace {

// Which source injected packets come from: none of those that the ingestor was started with.
constexpr SourceIndex kQueueSource{0xFFFF};

}  // namespace

Verdict ApplyPacketInject(const ApplyContext& context, const queue::QueueFile& file) {
  std::vector<Receipt> receipts;
  CaptureLineReader reader;
  std::istringstream lines(file.payload);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    auto receipt = reader.Read(line, context.now);
    if (!receipt)
      return Verdict::Of(Outcome::kRejected, "a line is no message with received_at, topic and payload");
    receipt->source = kQueueSource;
    receipts.push_back(std::move(*receipt));
  }
  if (receipts.empty()) return Verdict::Of(Outcome::kRejected, "the file holds no packet");

  std::int64_t observations = 0, duplicates = 0, refused = 0;
  std::string refusal;
  auto transmissions = nlohmann::json::array();
  for (const Receipt& receipt : receipts) {
    const Prepared message = context.prepare(receipt);
    if (const auto* drop = std::get_if<PreparedDrop>(&message)) {
      ++refused;
      refusal = std::string(Name(drop->reason)) + (drop->detail.empty() ? "" : ": " + drop->detail);
    }
    if (const auto stored = context.store.Take(message)) {
      ++(stored->new_observation ? observations : duplicates);
      transmissions.push_back(stored->transmission_id);
    }
  }
  Verdict verdict = Verdict::Of(Outcome::kDone, std::to_string(observations) + " observations stored, " +
                                                    std::to_string(duplicates) + " known already, " +
                                                    std::to_string(refused) + " refused");
  if (refused > 0) verdict.reason += " (" + refusal + ")";
  verdict.result = nlohmann::json{{"observations", observations},
                                  {"duplicates", duplicates},
                                  {"refused", refused},
                                  {"transmission_ids", std::move(transmissions)}}
                       .dump();
  return verdict;
}

}  // namespace heliograph::ingestor
