package source

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"hash/crc32"
	"hash/crc64"
)

// crc64NVME is the polynomial of the NVM Express specification, bits reversed.
const crc64NVME = 0x9a6c9329ac4bc9b5

// NewChecksum returns the hash for the algorithm that a File's Checksum names (what is before the
// colon), whose Sum in hex is what is after it. It reports whether the algorithm is known.
func NewChecksum(algorithm string) (hash.Hash, bool) {
	switch algorithm {
	case "crc32":
		return crc32.NewIEEE(), true
	case "crc32c":
		return crc32.New(crc32.MakeTable(crc32.Castagnoli)), true
	case "crc64nvme":
		return crc64.New(crc64.MakeTable(crc64NVME)), true
	case "md5":
		return md5.New(), true
	case "sha1":
		return sha1.New(), true
	case "sha256":
		return sha256.New(), true
	case "sha512":
		return sha512.New(), true
	}
	return nil, false
}
