"""Whoever carries our messages: mail servers, a gateway to telephones, and the addresses that users have named."""
