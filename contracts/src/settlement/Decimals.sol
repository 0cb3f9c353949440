// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

/// @title Readable amounts
/// @notice People sign amounts as text ("12.50"), because that is what their wallet shows them. This reads the
///         text exactly or not at all, by the same rules as the platform does off the chain.
/// @dev The grammar is ^(0|[1-9][0-9]{0,19})(\.[0-9]{1,18})?$. Zeros at the end of the fraction mean nothing;
///      what is left of it must not be finer than the token.
library Decimals {
    uint256 internal constant MAX_UNITS = 10 ** 38;
    uint256 private constant MAX_WHOLE_DIGITS = 20;
    uint256 private constant MAX_FRACTION_DIGITS = 18;
    uint256 private constant MAX_EXPONENT = 38;
    uint256 private constant NONE = type(uint256).max;

    error MalformedAmount();

    /// @return units The amount in base units of a token with so many decimals.
    function toUnits(string calldata amount, uint8 decimals) internal pure returns (uint256 units) {
        bool wellFormed;
        (wellFormed, units) = tryToUnits(amount, decimals);
        if (!wellFormed) revert MalformedAmount();
    }

    /// @notice The same for a reader who goes on without the amount: of what is malformed the units are 0.
    function tryToUnits(string calldata amount, uint8 decimals)
        internal
        pure
        returns (bool wellFormed, uint256 units)
    {
        bytes calldata text = bytes(amount);
        uint256 point = _wholeDigits(text);
        if (point == NONE) return (false, 0);
        uint256 end = _significantEnd(text, point);
        if (end == NONE) return (false, 0);
        uint256 fractionDigits = end == point ? 0 : end - point - 1;
        if (fractionDigits > decimals) return (false, 0);
        (wellFormed, units) = _digits(text, point, end);
        if (wellFormed) (wellFormed, units) = _scale(units, decimals - fractionDigits);
    }

    /// @dev How many digits stand before the point or the end; NONE for none, too many, and a leading zero.
    function _wholeDigits(bytes calldata text) private pure returns (uint256 point) {
        while (point < text.length && point <= MAX_WHOLE_DIGITS && text[point] != ".") ++point;
        if (point == 0 || point > MAX_WHOLE_DIGITS) return NONE;
        if (point > 1 && text[0] == "0") return NONE;
    }

    /// @dev Where the text ends without the zeros that mean nothing; at the point when nothing else is left.
    function _significantEnd(bytes calldata text, uint256 point) private pure returns (uint256 end) {
        end = text.length;
        if (end == point) return end;
        uint256 fractionDigits = end - point - 1;
        if (fractionDigits == 0 || fractionDigits > MAX_FRACTION_DIGITS) return NONE;
        while (text[end - 1] == "0") --end;
        if (end == point + 1) return point;
    }

    /// @dev The digits up to `end` without the point. Unchecked: what is below "0" wraps round and is no digit
    ///      either, and at most 38 digits are read.
    function _digits(bytes calldata text, uint256 point, uint256 end)
        private
        pure
        returns (bool wellFormed, uint256 value)
    {
        unchecked {
            for (uint256 i = 0; i < end; ++i) {
                if (i == point) continue;
                uint256 digit = uint256(uint8(text[i])) - 48;
                if (digit > 9) return (false, 0);
                value = value * 10 + digit;
            }
        }
        return (true, value);
    }

    function _scale(uint256 value, uint256 exponent) private pure returns (bool wellFormed, uint256 units) {
        if (value == 0) return (true, 0);
        if (exponent > MAX_EXPONENT) return (false, 0);
        units = value * 10 ** exponent;
        return units > MAX_UNITS ? (false, 0) : (true, units);
    }
}
