"""The chain: a JSON-RPC client, keys, and the words of our Solidity contracts."""
