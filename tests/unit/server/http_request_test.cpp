#include "server/http/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograph::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(RequestTest, PercentDecodeReadsEveryByteInEitherCase) {
  EXPECT_EQ(PercentDecode("a%2Fb%2fc%41"), "a/b/cA");
  EXPECT_EQ(PercentDecode("a+b"), "a+b");
  EXPECT_EQ(PercentDecode("%00"), std::string(1, '\0'));
}

TEST(RequestTest, PercentDecodeRefusesIncompleteEscapes) {
  for (const char* text : {"%", "%4", "%zz", "abc%", "%4g", "% 4"}) {
    EXPECT_EQ(PercentDecode(text), std::nullopt) << text;
  }
}

TEST(RequestTest, PercentEncodeIsUndoneByPercentDecode) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    all.push_back(static_cast<char>(byte));
  }
  EXPECT_EQ(PercentDecode(PercentEncode(all)), all);
  EXPECT_EQ(PercentEncode("a b/~"), "a%20b%2F~");
}

TEST(RequestTest, ParseQueryDecodesNamesAndValuesInOrder) {
  EXPECT_THAT(ParseQuery("a=1&b=x+y&c%20d=%C3%A9&e&=f&&g=h=i"),
              ElementsAre(Pair("a", "1"), Pair("b", "x y"), Pair("c d", "é"), Pair("e", ""), Pair("", "f"),
                          Pair("g", "h=i")));
  EXPECT_THAT(ParseQuery(""), IsEmpty());
}

TEST(RequestTest, ParseQueryKeepsMalformedEscapesAndReplacesWhatIsNoText) {
  EXPECT_THAT(ParseQuery("a=100%&b=%FF&c=x%00y"),
              ElementsAre(Pair("a", "100%"), Pair("b", "\xEF\xBF\xBD"), Pair("c", "x\xEF\xBF\xBDy")));
}

TEST(RequestTest, HeadersAreFoundInAnyCase) {
  Request request;
  request.headers = {{"x-api-key", "first"}, {"X-API-Key", "second"}};
  ASSERT_NE(request.FindHeader("X-Api-Key"), nullptr);
  EXPECT_EQ(*request.FindHeader("X-Api-Key"), "first");
  EXPECT_EQ(request.FindHeader("X-Api"), nullptr);
}

TEST(RequestTest, AMissingPathParameterIsAnErrorOfTheProgram) {
  EXPECT_THROW(Request{}.PathParameter("id"), std::logic_error);
}

TEST(RequestTest, MethodsAreCaseSensitive) {
  EXPECT_EQ(MethodFromName("GET"), Method::kGet);
  EXPECT_EQ(MethodFromName("get"), Method::kOther);
  EXPECT_EQ(Name(Method::kPatch), "PATCH");
}

}  // namespace
}  // namespace heliograph::server
