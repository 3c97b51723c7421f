#include "common/cluster_job.h"

#include <algorithm>
#include <array>
#include <limits>

#include <nlohmann/json.hpp>

#include "common/json_reader.h"
#include "common/text.h"

namespace heliograph {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxError = 2000;
constexpr std::array<std::string_view, 5> kStates{"pending", "running", "succeeded", "failed", "cancelled"};
constexpr std::array<std::string_view, 2> kKinds{"run", "choose-resolution"};
constexpr std::array<std::string_view, 2> kTriggers{"request", "schedule"};

template <class Enum, std::size_t N>
std::optional<Enum> Parse(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

Json TimeOrNull(const std::optional<UtcMillis>& time) {
  return time ? Json(time->time_since_epoch().count()) : Json(nullptr);
}

std::optional<UtcMillis> OptionalTime(const JsonReader& members, const char* name) {
  if (members.IsNull(name)) return std::nullopt;
  return members.Time(name);
}

std::string ObjectText(const JsonReader& members, const char* name) {
  std::string text = members.Object(name).dump();
  if (text.size() > kMaxClusterParameters)
    throw JsonFault{std::string(name) + " is longer than " + std::to_string(kMaxClusterParameters) +
                    " bytes"};
  return text;
}

template <class Enum>
Enum Known(const std::optional<Enum>& value, const char* name) {
  if (!value) throw JsonFault{std::string(name) + " is not known"};
  return *value;
}

ClusterJob Decode(const Json& json) {
  const JsonReader members(json);
  ClusterJob job;
  job.id = Known(Ulid::Parse(members.Text("id", kMaxClusterText)), "id");
  job.collection = Known(ParseClusterCollection(members.Text("collection", kMaxClusterText)), "collection");
  job.kind = Known(ParseClusterJobKind(members.Text("kind", kMaxClusterText)), "kind");
  job.state = Known(ParseClusterJobState(members.Text("state", kMaxClusterText)), "state");
  job.trigger = Known(ParseClusterJobTrigger(members.Text("trigger", kMaxClusterText)), "trigger");
  if (members.Has("branch"))
    job.branch = members.Integer("branch", 1, std::numeric_limits<std::int64_t>::max());
  job.requested_by = members.Text("requested_by", kMaxClusterText);
  job.parameters = ObjectText(members, "parameters");
  job.requested_at = members.Time("requested_at");
  job.started_at = OptionalTime(members, "started_at");
  job.finished_at = OptionalTime(members, "finished_at");
  job.statistics = ObjectText(members, "statistics");
  job.error = members.Text("error", kMaxError);
  members.RefuseAllBut({"id", "collection", "kind", "state", "trigger", "branch", "requested_by",
                        "parameters", "requested_at", "started_at", "finished_at", "statistics", "error"});
  if (job.finished_at.has_value() != IsFinished(job.state))
    throw JsonFault{"finished_at does not go with the state"};
  if (job.error.empty() == (job.state == ClusterJobState::kFailed))
    throw JsonFault{"error does not go with the state"};
  return job;
}

}  // namespace

std::string_view Name(ClusterJobState state) {
  return kStates.at(static_cast<std::size_t>(state));
}
std::optional<ClusterJobState> ParseClusterJobState(std::string_view name) {
  return Parse<ClusterJobState>(kStates, name);
}
bool IsFinished(ClusterJobState state) {
  return state != ClusterJobState::kPending && state != ClusterJobState::kRunning;
}
std::string_view Name(ClusterJobKind kind) {
  return kKinds.at(static_cast<std::size_t>(kind));
}
std::optional<ClusterJobKind> ParseClusterJobKind(std::string_view name) {
  return Parse<ClusterJobKind>(kKinds, name);
}
std::string_view Name(ClusterJobTrigger trigger) {
  return kTriggers.at(static_cast<std::size_t>(trigger));
}
std::optional<ClusterJobTrigger> ParseClusterJobTrigger(std::string_view name) {
  return Parse<ClusterJobTrigger>(kTriggers, name);
}

std::string ClusterJobError(std::string_view reason) {
  if (reason.empty()) return "it failed without a reason";
  const std::string valid = ToValidUtf8(reason);
  return std::string(TruncateUtf8(valid, kMaxError));
}

std::string EncodeClusterJob(const ClusterJob& job) {
  return Json{{"id", job.id.ToText()},
              {"collection", Name(job.collection)},
              {"kind", Name(job.kind)},
              {"state", Name(job.state)},
              {"trigger", Name(job.trigger)},
              {"branch", job.branch},
              {"requested_by", job.requested_by},
              {"parameters", Json::parse(job.parameters)},
              {"requested_at", job.requested_at.time_since_epoch().count()},
              {"started_at", TimeOrNull(job.started_at)},
              {"finished_at", TimeOrNull(job.finished_at)},
              {"statistics", Json::parse(job.statistics)},
              {"error", job.error}}
      .dump();
}

tl::expected<ClusterJob, std::string> DecodeClusterJob(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return tl::unexpected(std::string("the job is no JSON"));
  try {
    return Decode(json);
  } catch (const JsonFault& fault) {
    return tl::unexpected("the job " + fault.text);
  }
}

}  // namespace heliograph
