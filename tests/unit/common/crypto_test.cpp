#include "common/crypto.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/unit/common/golden_vectors.h"

namespace heliograph {
namespace {

TEST(CryptoTest, Sha256OfFips180) {
  EXPECT_EQ(ToHexLower(Sha256(AsBytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(ToHexLower(Sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(CryptoTest, HmacOfRfc4231) {
  EXPECT_EQ(ToHexLower(HmacSha256(AsBytes("Jefe"), AsBytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(ToHexLower(HmacSha256(Bytes(131, 0xAA),
                                  AsBytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(CryptoTest, HmacKeysOfOneThreadDoNotLeakIntoTheNextCall) {
  HmacSha256(AsBytes("Jefe"), AsBytes("x"));
  EXPECT_EQ(ToHexLower(HmacSha256({}, {})),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(CryptoTest, HmacIgnoresZeroPaddingOfTheKey) {
  Bytes padded(32, 0);
  std::fill_n(padded.begin(), 16, 0x5A);
  EXPECT_EQ(HmacSha256(padded, AsBytes("x")), HmacSha256(Bytes(16, 0x5A), AsBytes("x")));
}

TEST(CryptoTest, AesOfFips197) {
  const Bytes key = Hex("000102030405060708090a0b0c0d0e0f"),
              plaintext = Hex("00112233445566778899aabbccddeeff");
  const auto ciphertext = Aes128EcbEncrypt(key, plaintext);
  EXPECT_EQ(ToHexLower(*ciphertext), "69c4e0d86a7b0430d8cdb78070b4c55a");
  EXPECT_EQ(Aes128EcbDecrypt(key, *ciphertext), plaintext);
}

TEST(CryptoTest, AesTakesWholeBlocksOnly) {
  for (const std::size_t size : {0u, 1u, 15u, 17u}) EXPECT_FALSE(Aes128EcbDecrypt(Bytes(16), Bytes(size)));
}

TEST(CryptoTest, Ed25519OfRfc8032) {
  std::array<std::uint8_t, 32> seed{};
  ASSERT_TRUE(FromHexInto("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", seed));
  const Ed25519KeyPair keys(seed);
  EXPECT_EQ(keys.public_key().ToHex(), "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
  const Bytes signature = keys.Sign(Hex("af82"));
  EXPECT_EQ(ToHexLower(signature),
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");
  EXPECT_TRUE(Ed25519Verify(keys.public_key(), Hex("af82"), signature));
  EXPECT_FALSE(Ed25519Verify(keys.public_key(), Hex("af83"), signature));
  EXPECT_FALSE(Ed25519Verify(PublicKey(), Hex("af82"), signature));
}

TEST(CryptoTest, SignaturesOfAnyOtherLengthAreFalse) {
  const Ed25519KeyPair keys({1});
  Bytes signature = keys.Sign({});
  EXPECT_TRUE(Ed25519Verify(keys.public_key(), {}, signature));
  for (const std::size_t size : {0u, 63u, 65u}) {
    signature.resize(size);
    EXPECT_FALSE(Ed25519Verify(keys.public_key(), {}, signature)) << size;
  }
}

TEST(CryptoTest, ThreadsDoNotDisturbEachOther) {
  const Sha256Digest digest = Sha256(AsBytes("abc")), mac = HmacSha256(AsBytes("k"), AsBytes("abc"));
  std::array<int, 4> wrong{};
  std::vector<std::thread> threads;
  for (int& count : wrong) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        if (Sha256(AsBytes("abc")) != digest || HmacSha256(AsBytes("k"), AsBytes("abc")) != mac) ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, (std::array<int, 4>{}));
}

}  // namespace
}  // namespace heliograph
