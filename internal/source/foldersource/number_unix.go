//go:build unix

package foldersource

import (
	"io/fs"
	"strconv"
	"syscall"
)

// number is the file's number in its file system.
func number(info fs.FileInfo) string {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return strconv.FormatUint(stat.Ino, 10)
	}
	return ""
}
