// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

/// @title A price feed that answers as it was told
/// @dev For tests: the surface of Chainlink's AggregatorV3Interface as far as we read it.
contract PriceAggregator {
    uint8 public immutable decimals;
    uint80 private _roundId;
    uint80 private _answeredInRound;
    int256 private _answer;
    uint256 private _updatedAt;

    constructor(uint8 decimals_) {
        decimals = decimals_;
    }

    function tell(int256 answer, uint256 updatedAt, uint80 roundId, uint80 answeredInRound) external {
        _answer = answer;
        _updatedAt = updatedAt;
        _roundId = roundId;
        _answeredInRound = answeredInRound;
    }

    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        require(_roundId != 0, "No data present");
        return (_roundId, _answer, _updatedAt, _updatedAt, _answeredInRound);
    }
}
