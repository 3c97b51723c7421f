#include "common/crypto.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <cassert>
#include <memory>
#include <stdexcept>
#include <string>

namespace heliograph {
namespace {

/// A deleter that calls an OpenSSL free function.
template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};

using DigestContext = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Freer<EVP_CIPHER_CTX_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, Freer<EVP_MAC_CTX_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;

constexpr std::size_t kAesBlock = 16;
constexpr std::size_t kSignatureSize = 64;

void Check(bool succeeded, const char* what) {
  if (!succeeded) throw std::runtime_error(std::string("OpenSSL failed to ") + what);
}

template <typename T>
T* CheckNotNull(T* object, const char* what) {
  Check(object != nullptr, what);
  return object;
}

// Fetching looks an algorithm up by name in every provider, which costs more than hashing a packet. The
// fetched objects are read-only and shared by all threads.
const EVP_MD* Sha256Algorithm() {
  static const std::unique_ptr<EVP_MD, Freer<EVP_MD_free>> algorithm(
      CheckNotNull(EVP_MD_fetch(nullptr, "SHA256", nullptr), "find SHA-256"));
  return algorithm.get();
}

EVP_MAC* HmacAlgorithm() {
  static const std::unique_ptr<EVP_MAC, Freer<EVP_MAC_free>> algorithm(
      CheckNotNull(EVP_MAC_fetch(nullptr, "HMAC", nullptr), "find HMAC"));
  return algorithm.get();
}

const EVP_CIPHER* AesAlgorithm() {
  static const std::unique_ptr<EVP_CIPHER, Freer<EVP_CIPHER_free>> algorithm(
      CheckNotNull(EVP_CIPHER_fetch(nullptr, "AES-128-ECB", nullptr), "find AES-128-ECB"));
  return algorithm.get();
}

MacContext NewHmacSha256Context() {
  MacContext context(CheckNotNull(EVP_MAC_CTX_new(HmacAlgorithm()), "make an HMAC context"));
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_end()};
  Check(EVP_MAC_CTX_set_params(context.get(), parameters) == 1, "set up HMAC-SHA256");
  return context;
}

enum class CipherDirection : int { kDecrypt = 0, kEncrypt = 1 };

std::optional<Bytes> RunAes(ByteView key, ByteView input, CipherDirection direction) {
  assert(key.size() == kAesBlock);
  if (input.empty() || input.size() % kAesBlock != 0) return std::nullopt;
  thread_local const CipherContext context(CheckNotNull(EVP_CIPHER_CTX_new(), "make an AES context"));
  Check(EVP_CipherInit_ex2(context.get(), AesAlgorithm(), key.data(), nullptr, static_cast<int>(direction),
                           nullptr) == 1,
        "set up AES-128-ECB");
  Check(EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1, "switch AES padding off");
  Bytes output(input.size());
  int written = 0;
  Check(EVP_CipherUpdate(context.get(), output.data(), &written, input.data(),
                         static_cast<int>(input.size())) == 1,
        "run AES-128-ECB");
  return output;
}

}  // namespace

Sha256Digest Sha256(ByteView data) {
  thread_local const DigestContext context(CheckNotNull(EVP_MD_CTX_new(), "make a digest context"));
  Sha256Digest digest;
  Check(EVP_DigestInit_ex2(context.get(), Sha256Algorithm(), nullptr) == 1 &&
            EVP_DigestUpdate(context.get(), data.data(), data.size()) == 1 &&
            EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1,
        "compute SHA-256");
  return digest;
}

Sha256Digest HmacSha256(ByteView key, ByteView data) {
  thread_local const MacContext context = NewHmacSha256Context();
  // OpenSSL takes a null key for "the one of before", and an empty view may have a null pointer.
  static constexpr std::uint8_t kEmpty = 0;
  Sha256Digest digest;
  std::size_t written = 0;
  Check(EVP_MAC_init(context.get(), key.empty() ? &kEmpty : key.data(), key.size(), nullptr) == 1 &&
            EVP_MAC_update(context.get(), data.data(), data.size()) == 1 &&
            EVP_MAC_final(context.get(), digest.data(), &written, digest.size()) == 1,
        "compute HMAC-SHA256");
  return digest;
}

std::optional<Bytes> Aes128EcbDecrypt(ByteView key, ByteView ciphertext) {
  return RunAes(key, ciphertext, CipherDirection::kDecrypt);
}

std::optional<Bytes> Aes128EcbEncrypt(ByteView key, ByteView plaintext) {
  return RunAes(key, plaintext, CipherDirection::kEncrypt);
}

bool Ed25519Verify(const PublicKey& key, ByteView message, ByteView signature) {
  if (signature.size() != kSignatureSize) return false;
  const Key loaded(
      EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, key.bytes().data(), key.bytes().size()));
  if (!loaded) return false;
  const DigestContext context(CheckNotNull(EVP_MD_CTX_new(), "make a signature context"));
  if (EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, loaded.get(), nullptr) !=
      1) {
    return false;
  }
  return EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                          message.size()) == 1;
}

namespace {

Key LoadPrivateKey(ByteView seed) {
  return Key(
      CheckNotNull(EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, seed.data(), seed.size()),
                   "load an Ed25519 seed"));
}

}  // namespace

Ed25519KeyPair::Ed25519KeyPair(const std::array<std::uint8_t, kSeedSize>& seed) : seed_(seed) {
  std::array<std::uint8_t, PublicKey::kSize> bytes{};
  std::size_t size = bytes.size();
  Check(EVP_PKEY_get_raw_public_key(LoadPrivateKey(seed_).get(), bytes.data(), &size) == 1,
        "derive an Ed25519 public key");
  public_key_ = PublicKey(bytes);
}

Bytes Ed25519KeyPair::Sign(ByteView message) const {
  const Key loaded = LoadPrivateKey(seed_);
  const DigestContext context(CheckNotNull(EVP_MD_CTX_new(), "make a signature context"));
  Check(EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, loaded.get(), nullptr) == 1,
        "set up Ed25519 signing");
  Bytes signature(kSignatureSize);
  std::size_t size = signature.size();
  Check(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) == 1,
        "sign with Ed25519");
  return signature;
}

}  // namespace heliograph
