"""What a plugin and a host share: the wire, dataclasses, Protocols, errors, the handshake."""
