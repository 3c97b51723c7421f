#pragma once

#include <array>
#include <string_view>

#include "common/bytes.h"

namespace heliograph {

/// A frame that was heard on a real mesh, or was made with independent tools, and the content hash that it
/// has.
struct GoldenFrame {
  std::string_view hex;
  std::string_view hash;
};

inline constexpr std::string_view kDirectText = "0A00D69FD7A5A7475DB07337749AE61FA53A4788E976";
inline constexpr std::string_view kRepeaterAdvert =
    "120046D62DE27D4C5194D7821FC5A34A45565DCC2537B300B9AB6275255CEFB65D840CE5C169C94C9AED39E8BCB6CB6EB0335497"
    "A198B3"
    "3A1A610CD3B03D8DCFC160900E5244280323EE0B44CACAB8F02B5B38B91CFA18BD067B0B5E63E94CFC85F758A8530B9240933402"
    "E0E6B8"
    "F84D5252322D52";
inline constexpr std::string_view kEmojiAdvert =
    "120073CFF971E1CB5754A742C152B2D2E0EB108A19B246D663ED8898A72C4A5AD86EA6768E66694B025EDF6939D5C44CFF719C5D"
    "5520E5"
    "F06B20680A83AD9C2C61C3227BBB977A85EE462F3553445FECF8EDD05C234ECE217272E503F14D6DF2B1B9B133890C923CDF3002"
    "F8FDC1"
    "F85045414BF09F8CB3";
inline constexpr std::string_view kShortTrace = "2502AABBDEADBEEF";
inline constexpr std::string_view kTwoHopTrace = "26022FF8116A23A80000000001C0DE1000DEDE";
inline constexpr std::string_view kFiveHopTrace = "2604302D0D2359FEE7B100000000006733D63367";
inline constexpr std::string_view kTestChannelText = "1500D9FB9438D1A52B87CE019A7B547D89EF649837";
inline constexpr std::string_view kPublicChannelText = "1542AABBCCDD113BD87AB45B91795CACE1CF3CCED03B6A9FD9";

inline constexpr std::array<GoldenFrame, 8> kGoldenFrames = {{
    {kDirectText, "b1f07307cbc01ce5"},
    {kRepeaterAdvert, "a2df093d3bfc51f5"},
    {kEmojiAdvert, "b7ec29e2918c425e"},
    {kShortTrace, "b1baaf3bf0d0726c"},
    {kTwoHopTrace, "c04d62f7a310cceb"},
    {kFiveHopTrace, "af081a2c41281b1e"},
    {kTestChannelText, "1bb6d5498a63edd8"},
    {kPublicChannelText, "ff46f5e2624d7232"},
}};

/// The bytes that `hex` spells. REQUIRED: it spells some; a test that misspells them ends here.
inline Bytes Hex(std::string_view hex) {
  return FromHex(hex).value();
}

}  // namespace heliograph
