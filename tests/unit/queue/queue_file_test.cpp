#include "queue/queue_file.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "tests/unit/queue/queue_fixture.h"

namespace heliograph::queue {
namespace {

class QueueFileTest : public QueueTest {};

TEST_F(QueueFileTest, IsReadAsItWasPublished) {
  const std::string payload("{\"text\":\"\0 and \n\"}", 18);
  const Envelope envelope = EnvelopeFor(payload);
  const std::string name = Place(envelope, payload);
  const auto file = inbox_.Open(name);
  ASSERT_TRUE(file) << file.error().text;
  EXPECT_EQ(file->envelope, envelope);
  EXPECT_EQ(file->payload, payload);
  EXPECT_EQ(file->size, std::filesystem::file_size(volume_.queue_new() / name));
  EXPECT_EQ(file->digest, Sha256(AsBytes(SerializeHeader(envelope).value())));
}

TEST_F(QueueFileTest, MayHaveAnEmptyPayloadOrOneOfManyChunks) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{3'000'001}}) {
    const std::string payload(size, 'p');
    const auto file = inbox_.Open(Place(EnvelopeFor(payload), payload));
    ASSERT_TRUE(file) << file.error().text;
    EXPECT_EQ(file->payload, payload);
  }
}

TEST_F(QueueFileTest, IsRefusedWhenTornAtAnyByte) {
  const std::string payload = "{\"items\":[1,2,3]}";
  const std::string name = Place(EnvelopeFor(payload), payload);
  const std::string whole = ReadAll(volume_.queue_new() / name);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    WriteAllTo(volume_.queue_new() / name, std::string_view(whole).substr(0, length));
    EXPECT_EQ(WhyRefused(name), RefusalReason::kTorn) << "cut at " << length << " of " << whole.size();
  }
}

TEST_F(QueueFileTest, IsRefusedWhenAnyByteIsAnother) {
  const std::string payload = "{\"items\":[1,2,3]}";
  const Envelope envelope = EnvelopeFor(payload);
  const std::string name = Place(envelope, payload);
  const std::string whole = ReadAll(volume_.queue_new() / name);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x01);
    WriteAllTo(volume_.queue_new() / name, damaged);
    const auto file = inbox_.Open(name);
    // The header protects the payload; of itself only the syntax, the name and the ranges do.
    const bool in_payload = at >= whole.size() - payload.size();
    if (in_payload) {
      EXPECT_EQ(WhyRefused(name), RefusalReason::kDigestMismatch) << at;
    } else if (file) {
      EXPECT_NE(file->envelope, envelope) << at;
      EXPECT_NE(file->digest, Sha256(AsBytes(SerializeHeader(envelope).value()))) << at;
      EXPECT_EQ(file->envelope.id, envelope.id) << at;
    } else {
      EXPECT_TRUE(file.error().refused()) << at;
    }
  }
}

TEST_F(QueueFileTest, IsRefusedWhenItGoesOn) {
  const std::string name = Place(EnvelopeFor("payload"), "payload and more");
  EXPECT_EQ(WhyRefused(name), RefusalReason::kTrailingBytes);
}

TEST_F(QueueFileTest, IsRefusedWhenThePayloadIsAnother) {
  EXPECT_EQ(WhyRefused(Place(EnvelopeFor("payload"), "daolyap")), RefusalReason::kDigestMismatch);
}

TEST_F(QueueFileTest, IsRefusedWhenNameAndHeaderDisagree) {
  const Envelope envelope = EnvelopeFor("payload", 5);
  const std::string content = SerializeHeader(envelope).value() + "\npayload";
  FileName other_number = FileName::Of(envelope);
  other_number.producer_seq = 6;
  FileName other_id = FileName::Of(envelope);
  other_id.id = Ulid::Generate(kSomeTime);
  FileName other_kind = FileName::Of(envelope);
  other_kind.kind = Kind::kPin;
  for (const FileName& name : {other_number, other_id, other_kind}) {
    WriteAllTo(volume_.queue_new() / name.ToText(), content);
    EXPECT_EQ(WhyRefused(name.ToText()), RefusalReason::kNameMismatch);
  }
}

TEST_F(QueueFileTest, IsRefusedForItsHeader) {
  const Envelope envelope = EnvelopeFor("");
  const std::string name = FileName::Of(envelope).ToText();
  const std::string header = SerializeHeader(envelope).value();
  const auto reason_with = [&](const std::string& from, const std::string& to) {
    std::string changed = header;
    changed.replace(changed.find(from), from.size(), to);
    WriteAllTo(volume_.queue_new() / name, changed + "\n");
    return WhyRefused(name);
  };
  EXPECT_EQ(reason_with("\"format\":1", "\"format\":2"), RefusalReason::kUnknownFormat);
  EXPECT_EQ(reason_with("item-batch", "shutdown"), RefusalReason::kUnknownKind);
  EXPECT_EQ(reason_with("\"stream\"", "\"strean\""), RefusalReason::kMalformedHeader);
  EXPECT_EQ(reason_with("{", "{" + std::string(kMaxHeaderBytes, ' ')), RefusalReason::kOversizedHeader);
}

TEST_F(QueueFileTest, IsRefusedBeyondTheLimit) {
  InboxLimits limits;
  limits.max_payload_bytes = 10;
  const Inbox inbox = OpenInbox(limits);
  EXPECT_TRUE(inbox.Open(Place(EnvelopeFor("0123456789"), "0123456789")));
  const auto larger = inbox.Open(Place(EnvelopeFor("0123456789a"), "0123456789a"));
  ASSERT_FALSE(larger);
  EXPECT_EQ(larger.error().reason, RefusalReason::kOversizedPayload);
}

TEST_F(QueueFileTest, IsNotReadWhenItIsHuge) {
  const std::string name = Place(EnvelopeFor("payload"), "payload");
  std::filesystem::resize_file(volume_.queue_new() / name, 1ULL << 40);  // sparse
  EXPECT_EQ(WhyRefused(name), RefusalReason::kOversizedPayload);
}

TEST_F(QueueFileTest, IsNoLinkFolderFifoOrSocket) {
  const std::string genuine = Place(EnvelopeFor("payload", 1), "payload");
  const auto name_of = [](std::int64_t seq) {
    return FileName{seq, Ulid::Generate(kSomeTime), Kind::kPin}.ToText();
  };
  const auto path_of = [&](const std::string& name) { return volume_.queue_new() / name; };
  const std::string link = name_of(2), dangling = name_of(3), folder = name_of(4), fifo = name_of(5),
                    socket = name_of(6);
  std::filesystem::create_symlink(path_of(genuine), path_of(link));
  std::filesystem::create_symlink("/nowhere", path_of(dangling));
  std::filesystem::create_directory(path_of(folder));
  ASSERT_EQ(::mkfifo(path_of(fifo).c_str(), 0600), 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(path_of(socket).string().size(), sizeof address.sun_path);
  std::strcpy(address.sun_path, path_of(socket).c_str());
  const FileDescriptor listener(::socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);

  for (const std::string& name : {link, dangling, folder, fifo, socket})
    EXPECT_EQ(WhyRefused(name), RefusalReason::kNotRegularFile) << name;
}

TEST_F(QueueFileTest, IsRefusedForAnUnsafeName) {
  for (const std::string name : {"README", ".hidden", "a b\nc", "00000000000000000001-x.pin"}) {
    WriteAllTo(volume_.queue_new() / name, "something");
    EXPECT_EQ(WhyRefused(name), RefusalReason::kUnsafeName) << name;
  }
  for (const std::string name : {"", ".", "..", "../server.lock", "/etc/hostname"})
    EXPECT_EQ(WhyRefused(name), RefusalReason::kUnsafeName) << name;
}

TEST_F(QueueFileTest, IsNotJudgedWhenItHasGone) {
  const auto file = inbox_.Open(FileName{1, Ulid::Generate(kSomeTime), Kind::kPin}.ToText());
  ASSERT_FALSE(file);
  EXPECT_FALSE(file.error().refused());
  EXPECT_EQ(file.error().code, ENOENT);
}

TEST_F(QueueFileTest, IsRefusedUnderAnIdOfItsOwn) {
  const Envelope envelope = EnvelopeFor("payload");
  const std::string name = Place(envelope, "daolyap");
  const std::string first = inbox_.Open(name).error().ledger_id;
  EXPECT_EQ(first.size(), 4U + 64U);
  EXPECT_EQ(inbox_.Open(name).error().ledger_id, first);
  Place(envelope, "damaged");
  EXPECT_NE(inbox_.Open(name).error().ledger_id, first);
  EXPECT_EQ(first.find(envelope.id.ToText()), std::string::npos);
}

}  // namespace
}  // namespace heliograph::queue
