// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

/// @notice Where a document is and what it says, both as hashes: the text itself stays off the chain.
struct Document {
    bytes32 uriHash;
    bytes32 contentHash;
    /// Unix seconds of the block that recorded it.
    uint64 timestamp;
}

/// @title The legal papers behind a token
/// @notice Lets anyone prove that the paper they were given is the one the issuer published, and when.
abstract contract Documents {
    mapping(bytes32 name => Document) private _documents;

    event DocumentSet(bytes32 indexed name, bytes32 uriHash, bytes32 contentHash, uint64 timestamp);

    /// @return All zeros when no document of this name was recorded.
    function documentOf(bytes32 name) external view returns (Document memory) {
        return _documents[name];
    }

    /// @dev Replaces an earlier version; the events keep its history.
    function _setDocument(bytes32 name, bytes32 uriHash, bytes32 contentHash) internal {
        uint64 timestamp = uint64(block.timestamp);
        _documents[name] = Document(uriHash, contentHash, timestamp);
        emit DocumentSet(name, uriHash, contentHash, timestamp);
    }
}
