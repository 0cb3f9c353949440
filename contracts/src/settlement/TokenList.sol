// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IIssuedToken} from "../interfaces/IIssuedToken.sol";

/// @notice What a token is to the vault. Payment tokens are others' contracts and are only kept; issued
///         tokens are the platform's own: they are asked before a move and may book what they mint.
enum Listing {
    Unlisted,
    Payment,
    Issued
}

/// @title The tokens the vault accepts
/// @notice Listing is trust: an issued token can credit and recover its own balances (no others), and a
///         payment token must neither rebase nor take tokens back, or the vault would owe more than it has.
abstract contract TokenList is AccessControl {
    bytes32 public constant LISTER_ROLE = keccak256("LISTER_ROLE");

    /// @dev The decimals are read once: an amount that people sign as text must never change its meaning.
    struct ListedToken {
        Listing listing;
        uint8 decimals;
    }

    mapping(address token => ListedToken) private _listed;

    event TokenListed(address indexed token, Listing listing);

    error TokenNotListed(address token);
    error TokenNotIssued(address token);
    error TokenAlreadyListed(address token);
    error TokenHasNoCode(address token);
    error TokenOfAnotherVault(address token);
    error ListingRequired();

    modifier onlyListed(address token) {
        if (listingOf(token) == Listing.Unlisted) revert TokenNotListed(token);
        _;
    }

    modifier onlyIssued(address token) {
        if (listingOf(token) != Listing.Issued) revert TokenNotIssued(token);
        _;
    }

    function listingOf(address token) public view returns (Listing) {
        return _listed[token].listing;
    }

    /// @return The decimals that amounts of a listed token are read with; 0 for one that is not listed.
    function decimalsOf(address token) public view returns (uint8) {
        return _listed[token].decimals;
    }

    /// @dev A listing is for ever, as balances of it may be.
    function listToken(address token, Listing listing) external onlyRole(LISTER_ROLE) {
        if (listing == Listing.Unlisted) revert ListingRequired();
        if (listingOf(token) != Listing.Unlisted) revert TokenAlreadyListed(token);
        if (token.code.length == 0) revert TokenHasNoCode(token);
        if (listing == Listing.Issued && address(IIssuedToken(token).vault()) != address(this)) {
            revert TokenOfAnotherVault(token);
        }
        _listed[token] = ListedToken(listing, IERC20Metadata(token).decimals());
        emit TokenListed(token, listing);
    }
}
