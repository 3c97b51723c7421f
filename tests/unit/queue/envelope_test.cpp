#include "queue/envelope.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/unit/queue/queue_fixture.h"

namespace heliograph::queue {
namespace {

nlohmann::json HeaderObject() {
  return nlohmann::json::parse(SerializeHeader(EnvelopeFor("payload")).value());
}

/// The fault of a header one of whose members has another value.
EnvelopeFault FaultWith(const std::string& member, const nlohmann::json& value) {
  auto object = HeaderObject();
  object[member] = value;
  const auto parsed = ParseHeader(object.dump());
  if (parsed) ADD_FAILURE() << member << " = " << value << " was taken";
  return parsed ? EnvelopeFault{} : parsed.error().fault;
}

TEST(Envelope, ReadsBackWhatItWrites) {
  for (const Kind kind : AllKinds()) {
    Envelope envelope = EnvelopeFor("payload", 42);
    envelope.kind = kind;
    envelope.branch_id = 7;
    envelope.base_commit_seq = 99;
    envelope.watermark = 1'900'000;
    envelope.actor = "Zoë \"the admin\" \\";
    const auto parsed = ParseHeader(SerializeHeader(envelope).value());
    ASSERT_TRUE(parsed) << parsed.error().text;
    EXPECT_EQ(*parsed, envelope);
  }
}

TEST(Envelope, HasOneLineOfBoundedLength) {
  Envelope envelope = EnvelopeFor("payload", std::numeric_limits<std::int64_t>::max());
  for (std::string* text : {&envelope.stream, &envelope.epoch, &envelope.instance, &envelope.actor})
    text->assign(kMaxEnvelopeText, '"');
  const std::string header = SerializeHeader(envelope).value();
  EXPECT_EQ(header.find('\n'), std::string::npos);
  EXPECT_LE(header.size(), kMaxHeaderBytes);
}

TEST(Envelope, MissesEachMember) {
  const auto whole = HeaderObject();
  ASSERT_EQ(whole.size(), 14U);
  for (const auto& member : whole.items()) {
    auto object = whole;
    object.erase(member.key());
    const auto parsed = ParseHeader(object.dump());
    ASSERT_FALSE(parsed) << member.key();
    EXPECT_EQ(parsed.error().fault, EnvelopeFault::kMissingMember) << member.key();
    EXPECT_NE(parsed.error().text.find(member.key()), std::string::npos);
  }
}

TEST(Envelope, RefusesEachMemberOfAnotherType) {
  const auto whole = HeaderObject();
  for (const auto& member : whole.items()) {
    for (const nlohmann::json& other : {nlohmann::json(nullptr), nlohmann::json(true), nlohmann::json(1.5),
                                        nlohmann::json::array({1}), nlohmann::json::object()}) {
      EXPECT_EQ(FaultWith(member.key(), other), EnvelopeFault::kMistypedMember) << member.key();
    }
  }
  EXPECT_EQ(FaultWith("watermark", "5"), EnvelopeFault::kMistypedMember);
  EXPECT_EQ(FaultWith("actor", 5), EnvelopeFault::kMistypedMember);
}

TEST(Envelope, RefusesTextsThatSpellNothing) {
  EXPECT_EQ(FaultWith("id", "01aryz6s410000000000000000"), EnvelopeFault::kMistypedMember);
  EXPECT_EQ(FaultWith("created_at", "2026-11-20 16:00:00"), EnvelopeFault::kMistypedMember);
  EXPECT_EQ(FaultWith("created_at", "2026-11-20T16:00:00+00:00"), EnvelopeFault::kMistypedMember);
  EXPECT_EQ(FaultWith("payload_sha256", std::string(64, 'A')), EnvelopeFault::kMistypedMember);
  EXPECT_EQ(FaultWith("payload_sha256", std::string(62, 'a')), EnvelopeFault::kMistypedMember);
}

TEST(Envelope, RefusesImpossibleValues) {
  for (const char* member : {"branch_id", "base_commit_seq", "producer_seq", "watermark", "payload_bytes"})
    EXPECT_EQ(FaultWith(member, -1), EnvelopeFault::kImpossibleValue) << member;
  EXPECT_EQ(FaultWith("producer_seq", 0), EnvelopeFault::kImpossibleValue);
  EXPECT_EQ(FaultWith("watermark", 18446744073709551615ULL), EnvelopeFault::kImpossibleValue);
  EXPECT_EQ(FaultWith("actor", ""), EnvelopeFault::kImpossibleValue);
  EXPECT_EQ(FaultWith("stream", "a\nb"), EnvelopeFault::kImpossibleValue);
  EXPECT_EQ(FaultWith("epoch", std::string(kMaxEnvelopeText + 1, 'e')), EnvelopeFault::kImpossibleValue);
}

TEST(Envelope, NamesAnotherFormatBeforeAnythingElse) {
  const auto parsed = ParseHeader(R"({"format":2,"something":"new"})");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().fault, EnvelopeFault::kUnknownFormat);
}

TEST(Envelope, RefusesUnknownKindsAndMembersAndRepetition) {
  EXPECT_EQ(FaultWith("kind", "shutdown"), EnvelopeFault::kUnknownKind);
  EXPECT_EQ(FaultWith("surprise", 1), EnvelopeFault::kUnknownMember);
  std::string repeated = HeaderObject().dump();
  repeated.insert(1, R"("watermark":5,)");
  EXPECT_EQ(ParseHeader(repeated).error().fault, EnvelopeFault::kDuplicateMember);
}

TEST(Envelope, RefusesWhatIsNoObject) {
  for (const std::string text :
       {"", "{", "[]", "5", "null", "{\"format\":1}}", "{\"a\":\"\xff\"}", "nonsense"})
    EXPECT_EQ(ParseHeader(text).error().fault, EnvelopeFault::kMalformed) << text;
  EXPECT_EQ(ParseHeader(std::string(kMaxHeaderBytes, '[')).error().fault, EnvelopeFault::kMalformed);
  EXPECT_EQ(ParseHeader(std::string(kMaxHeaderBytes + 1, '[')).error().fault, EnvelopeFault::kOversized);
}

TEST(Envelope, DoesNotWriteWhatItWouldNotRead) {
  Envelope envelope = EnvelopeFor("payload");
  envelope.actor = "\xff";
  EXPECT_EQ(SerializeHeader(envelope).error().fault, EnvelopeFault::kImpossibleValue);
  envelope = EnvelopeFor("payload");
  envelope.created_at = UtcMillis(std::chrono::milliseconds(-1));
  EXPECT_EQ(SerializeHeader(envelope).error().fault, EnvelopeFault::kImpossibleValue);
  envelope = EnvelopeFor("payload", 0);
  EXPECT_EQ(SerializeHeader(envelope).error().fault, EnvelopeFault::kImpossibleValue);
}

TEST(QueueFileName, SortsAsItsNumberDoes) {
  const Ulid id = Ulid::Generate(kSomeTime);
  const FileName nine{9, id, Kind::kPin};
  const FileName ten{10, id, Kind::kPin};
  EXPECT_LT(nine.ToText(), ten.ToText());
  EXPECT_EQ(nine.ToText(), "00000000000000000009-" + id.ToText() + ".pin");
}

TEST(QueueFileName, ReadsBackWhatItWrites) {
  for (const Kind kind : AllKinds()) {
    const FileName name{std::numeric_limits<std::int64_t>::max(), Ulid::Generate(kSomeTime), kind};
    EXPECT_EQ(FileName::Parse(name.ToText()), name);
  }
}

TEST(QueueFileName, RefusesEveryOtherForm) {
  const std::string id = Ulid::Generate(kSomeTime).ToText();
  const std::string good = "00000000000000000001-" + id + ".pin";
  ASSERT_TRUE(FileName::Parse(good));
  for (const std::string& bad :
       {std::string(), std::string("README"), std::string("../") + good, good + "/", good + ".reason",
        good + " ", good.substr(1), "0" + good, "-0000000000000000001-" + id + ".pin",
        "00000000000000000000-" + id + ".pin", "99999999999999999999-" + id + ".pin",
        "0000000000000000000x-" + id + ".pin", "00000000000000000001-" + id + ".shutdown",
        "00000000000000000001-" + id + ".", "00000000000000000001_" + id + ".pin",
        "00000000000000000001-" + id.substr(1) + "i.pin"}) {
    EXPECT_FALSE(FileName::Parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace heliograph::queue
