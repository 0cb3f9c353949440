"""Prices from outside: Chainlink, CoinGecko, issuers' feeds of net asset values."""
