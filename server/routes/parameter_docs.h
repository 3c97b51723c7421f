#pragma once

#include <cstdint>
#include <string>

#include "server/http/route.h"

namespace heliograph::server {

/// Documentation of parameters by kind; `route.h` has those that many routes share.
ParameterDoc TimeDoc(std::string name, std::string description);
ParameterDoc FlagDoc(std::string name, std::string description);
ParameterDoc IntegerDoc(std::string name, std::string description, std::int64_t minimum,
                        std::int64_t maximum);
/// A parameter in the path.
ParameterDoc PathDoc(std::string name, std::string description);
/// A status that is answered as a problem.
ResponseDoc ProblemDoc(int status, std::string description);

/// CoreScope's `area`. No areas are configured here, so nothing lies in one.
ParameterDoc AreaDoc();
/// Throws ProblemError(400) when the request names an area: the whole mesh would be the wrong answer.
void RefuseArea(const Request& request);

}  // namespace heliograph::server
