"""Clients of the wire, one a service, each an implementation of the contract's Protocol."""
