#include "queue/envelope.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/bytes.h"

namespace heliograph::queue {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::pair<Kind, std::string_view>, 11> kKindNames{{
    {Kind::kMultibyteSnapshot, "multibyte-snapshot"},
    {Kind::kClusterSnapshot, "cluster-snapshot"},
    {Kind::kNeighborSnapshot, "neighbor-snapshot"},
    {Kind::kClusterJob, "cluster-job"},
    {Kind::kOverride, "override"},
    {Kind::kItemBatch, "item-batch"},
    {Kind::kBranchRequest, "branch-request"},
    {Kind::kPin, "pin"},
    {Kind::kRevert, "revert"},
    {Kind::kPruneRequest, "prune-request"},
    {Kind::kPacketInject, "packet-inject"},
}};

constexpr std::array<std::string_view, 14> kMembers{
    "format",     "kind",     "stream",       "id",        "epoch", "branch_id",     "base_commit_seq",
    "created_at", "instance", "producer_seq", "watermark", "actor", "payload_bytes", "payload_sha256"};

constexpr std::size_t kSequenceDigits = 20;
/// The end of what ParseTime reads: 9999-12-31T23:59:59.999Z.
constexpr UtcMillis kLastMoment{std::chrono::milliseconds(253402300799999)};

tl::unexpected<EnvelopeError> Fault(EnvelopeFault fault, std::string text) {
  return tl::unexpected<EnvelopeError>(EnvelopeError{fault, std::move(text)});
}

/// The object of a header line, each of whose members appears once.
tl::expected<Json, EnvelopeError> ParseObject(std::string_view line) {
  std::size_t keys = 0;
  const auto count_keys = [&](int depth, Json::parse_event_t event, const Json&) {
    if (depth == 1 && event == Json::parse_event_t::key) ++keys;
    return true;
  };
  Json object = Json::parse(line.begin(), line.end(), count_keys, false);
  if (object.is_discarded() || !object.is_object())
    return Fault(EnvelopeFault::kMalformed, "the header line is no JSON object");
  if (keys != object.size())
    return Fault(EnvelopeFault::kDuplicateMember, "a member of the header appears twice");
  return object;
}

/// Takes members out of the object one by one and keeps the first fault.
class MemberReader {
 public:
  explicit MemberReader(const Json& object) : object_(object) {}

  std::int64_t Integer(std::string_view member) {
    const Json* value = Find(member);
    if (value == nullptr) return 0;
    if (!value->is_number_integer()) {
      Fail(EnvelopeFault::kMistypedMember, member, "is no integer");
      return 0;
    }
    // A negative number reads as signed, any other as unsigned.
    if (!value->is_number_unsigned()) return value->get<std::int64_t>();
    const auto number = value->get<std::uint64_t>();
    if (number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return static_cast<std::int64_t>(number);
    Fail(EnvelopeFault::kImpossibleValue, member, "is too large");
    return 0;
  }

  std::string Text(std::string_view member) {
    const Json* value = Find(member);
    if (value == nullptr) return {};
    if (value->is_string()) return value->get<std::string>();
    Fail(EnvelopeFault::kMistypedMember, member, "is no text");
    return {};
  }

  Ulid Identifier(std::string_view member) {
    const auto id = Ulid::Parse(Text(member));
    if (!id) Fail(EnvelopeFault::kMistypedMember, member, "is no ULID");
    return id.value_or(Ulid());
  }

  UtcMillis Time(std::string_view member) {
    const std::string text = Text(member);
    const auto parsed = ParseTime(text);
    if (parsed && FormatTime(parsed->time) == text) return parsed->time;
    Fail(EnvelopeFault::kMistypedMember, member, "is no time of the form YYYY-MM-DDTHH:MM:SS[.mmm]Z");
    return {};
  }

  Sha256Digest Digest(std::string_view member) {
    const std::string text = Text(member);
    Sha256Digest digest{};
    if (!FromHexInto(text, digest) || ToHexLower(digest) != text)
      Fail(EnvelopeFault::kMistypedMember, member, "is no SHA-256 in lower-case hexadecimal");
    return digest;
  }

  Kind KindOf(std::string_view member) {
    const std::string text = Text(member);
    const auto kind = KindNamed(text);
    if (!kind) Fail(EnvelopeFault::kUnknownKind, member, "is not known to this version");
    return kind.value_or(Kind{});
  }

  const std::optional<EnvelopeError>& error() const { return error_; }

 private:
  const Json* Find(std::string_view member) {
    const auto found = object_.find(member);
    if (found != object_.end()) return &*found;
    Fail(EnvelopeFault::kMissingMember, member, "is missing");
    return nullptr;
  }

  void Fail(EnvelopeFault fault, std::string_view member, std::string_view what) {
    if (!error_) error_ = EnvelopeError{fault, "`" + std::string(member) + "` " + std::string(what)};
  }

  const Json& object_;
  std::optional<EnvelopeError> error_;
};

std::optional<EnvelopeError> CheckText(std::string_view member, std::string_view text) {
  const auto wrong = [&](std::string_view what) {
    return EnvelopeError{EnvelopeFault::kImpossibleValue,
                         "`" + std::string(member) + "` " + std::string(what)};
  };
  if (text.empty()) return wrong("is empty");
  if (text.size() > kMaxEnvelopeText)
    return wrong("is longer than " + std::to_string(kMaxEnvelopeText) + " bytes");
  const auto is_control = [](char character) {
    return static_cast<unsigned char>(character) < 0x20 || character == 0x7f;
  };
  if (std::any_of(text.begin(), text.end(), is_control)) return wrong("contains a control character");
  return std::nullopt;
}

std::optional<EnvelopeError> CheckAtLeast(std::string_view member, std::int64_t value, std::int64_t least) {
  if (value >= least) return std::nullopt;
  return EnvelopeError{EnvelopeFault::kImpossibleValue,
                       "`" + std::string(member) + "` is less than " + std::to_string(least)};
}

/// The ranges, which hold for both directions.
std::optional<EnvelopeError> CheckValues(const Envelope& envelope) {
  constexpr auto kMostBytes = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (envelope.format != kEnvelopeFormat) {
    return EnvelopeError{EnvelopeFault::kUnknownFormat, "`format` is " + std::to_string(envelope.format) +
                                                            "; this version knows " +
                                                            std::to_string(kEnvelopeFormat)};
  }
  if (auto error = CheckText("stream", envelope.stream)) return error;
  if (auto error = CheckText("epoch", envelope.epoch)) return error;
  if (auto error = CheckText("instance", envelope.instance)) return error;
  if (auto error = CheckText("actor", envelope.actor)) return error;
  if (auto error = CheckAtLeast("branch_id", envelope.branch_id, 1)) return error;
  if (auto error = CheckAtLeast("base_commit_seq", envelope.base_commit_seq, 0)) return error;
  if (auto error = CheckAtLeast("producer_seq", envelope.producer_seq, 1)) return error;
  if (auto error = CheckAtLeast("watermark", envelope.watermark, 0)) return error;
  if (envelope.created_at < UtcMillis{} || envelope.created_at > kLastMoment)
    return EnvelopeError{EnvelopeFault::kImpossibleValue, "`created_at` is outside the years 1970 to 9999"};
  if (envelope.payload_bytes > kMostBytes)
    return EnvelopeError{EnvelopeFault::kImpossibleValue, "`payload_bytes` is too large"};
  return std::nullopt;
}

std::optional<EnvelopeError> FindUnknownMember(const Json& object) {
  for (const auto& member : object.items()) {
    if (std::find(kMembers.begin(), kMembers.end(), member.key()) == kMembers.end())
      return EnvelopeError{EnvelopeFault::kUnknownMember,
                           "the header has a member that this version does not know"};
  }
  return std::nullopt;
}

}  // namespace

std::string_view Name(Kind kind) {
  return kKindNames[static_cast<std::size_t>(kind)].second;
}

std::optional<Kind> KindNamed(std::string_view name) {
  for (const auto& [kind, candidate] : kKindNames) {
    if (candidate == name) return kind;
  }
  return std::nullopt;
}

std::span<const Kind> AllKinds() {
  static const auto kinds = [] {
    std::array<Kind, kKindNames.size()> all{};
    std::transform(kKindNames.begin(), kKindNames.end(), all.begin(),
                   [](const auto& entry) { return entry.first; });
    return all;
  }();
  return kinds;
}

tl::expected<Envelope, EnvelopeError> ParseHeader(std::string_view line) {
  if (line.size() > kMaxHeaderBytes) {
    return Fault(EnvelopeFault::kOversized,
                 "the header line is longer than " + std::to_string(kMaxHeaderBytes) + " bytes");
  }
  const auto object = ParseObject(line);
  if (!object) return tl::unexpected<EnvelopeError>(object.error());

  MemberReader read(*object);
  Envelope envelope;
  envelope.format = read.Integer("format");
  // Another format may have other members: it is named as such before anything else is asked of it.
  if (!read.error() && envelope.format != kEnvelopeFormat)
    return tl::unexpected<EnvelopeError>(*CheckValues(envelope));
  envelope.kind = read.KindOf("kind");
  envelope.stream = read.Text("stream");
  envelope.id = read.Identifier("id");
  envelope.epoch = read.Text("epoch");
  envelope.branch_id = read.Integer("branch_id");
  envelope.base_commit_seq = read.Integer("base_commit_seq");
  envelope.created_at = read.Time("created_at");
  envelope.instance = read.Text("instance");
  envelope.producer_seq = read.Integer("producer_seq");
  envelope.watermark = read.Integer("watermark");
  envelope.actor = read.Text("actor");
  const std::int64_t payload_bytes = read.Integer("payload_bytes");
  envelope.payload_sha256 = read.Digest("payload_sha256");
  if (read.error()) return tl::unexpected<EnvelopeError>(*read.error());
  if (auto error = FindUnknownMember(*object)) return tl::unexpected<EnvelopeError>(*error);
  if (auto error = CheckAtLeast("payload_bytes", payload_bytes, 0))
    return tl::unexpected<EnvelopeError>(*error);
  envelope.payload_bytes = static_cast<std::uint64_t>(payload_bytes);
  if (auto error = CheckValues(envelope)) return tl::unexpected<EnvelopeError>(*error);
  return envelope;
}

tl::expected<std::string, EnvelopeError> SerializeHeader(const Envelope& envelope) {
  if (auto error = CheckValues(envelope)) return tl::unexpected<EnvelopeError>(*error);
  nlohmann::ordered_json object;
  object["format"] = envelope.format;
  object["kind"] = Name(envelope.kind);
  object["stream"] = envelope.stream;
  object["id"] = envelope.id.ToText();
  object["epoch"] = envelope.epoch;
  object["branch_id"] = envelope.branch_id;
  object["base_commit_seq"] = envelope.base_commit_seq;
  object["created_at"] = FormatTime(envelope.created_at);
  object["instance"] = envelope.instance;
  object["producer_seq"] = envelope.producer_seq;
  object["watermark"] = envelope.watermark;
  object["actor"] = envelope.actor;
  object["payload_bytes"] = envelope.payload_bytes;
  object["payload_sha256"] = ToHexLower(envelope.payload_sha256);
  try {
    return object.dump();
  } catch (const nlohmann::json::type_error&) {
    return Fault(EnvelopeFault::kImpossibleValue, "a text of the header is no valid UTF-8");
  }
}

std::string FileName::ToText() const {
  const std::string digits = std::to_string(producer_seq);
  std::string text(kSequenceDigits - std::min(kSequenceDigits, digits.size()), '0');
  return text.append(digits).append("-").append(id.ToText()).append(".").append(Name(kind));
}

std::optional<FileName> FileName::Parse(std::string_view text) {
  constexpr std::size_t kDash = kSequenceDigits;
  constexpr std::size_t kDot = kDash + 1 + Ulid::kTextLength;
  if (text.size() <= kDot + 1 || text[kDash] != '-' || text[kDot] != '.') return std::nullopt;

  FileName name;
  const char* const digits_end = text.data() + kDash;
  // The largest number has 19 digits; and from_chars would take a minus here.
  if (text[0] != '0') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), digits_end, name.producer_seq);
  if (error != std::errc{} || end != digits_end || name.producer_seq < 1) return std::nullopt;
  const auto id = Ulid::Parse(text.substr(kDash + 1, Ulid::kTextLength));
  const auto kind = KindNamed(text.substr(kDot + 1));
  if (!id || !kind) return std::nullopt;
  name.id = *id;
  name.kind = *kind;
  return name;
}

}  // namespace heliograph::queue
