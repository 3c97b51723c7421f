#pragma once

#include <cstddef>
#include <cstdint>

namespace heliograph::ingestor {

/// Shuts down every TCP connection of this process to a remote port, and returns how many there were. It is
/// the only way to keep Paho from acknowledging a message: it sends PUBACK as soon as the callback returns,
/// offers no way to refuse, and holds a lock during the callback that a disconnect needs too. With the socket
/// shut down, that PUBACK fails, and the broker delivers the message again. A connection that is hit without
/// need is made again by its owner; with MQTT that costs nothing.
std::size_t CutConnectionsTo(std::uint16_t port);

}  // namespace heliograph::ingestor
