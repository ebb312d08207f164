package parquetfile

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"prospector/internal/filecodec"
)

// How points in time are written: those that are adjusted to UTC as RFC 3339 wants it. Others name no
// zone, and none is invented: they are written without an offset, which is no date-time of XDM.
const (
	instant   = "2006-01-02T15:04:05.999999999Z"
	localTime = "2006-01-02T15:04:05.999999999"
)

// The logical types, which the library has both as values and as pointers.
type (
	integerType interface {
		BitWidth() int8
		IsSigned() bool
	}
	decimalType interface {
		Precision() int32
		Scale() int32
	}
	timestampType interface {
		IsAdjustedToUTC() bool
		IsFromConvertedType() bool
		TimeUnit() schema.TimeUnitType
	}
	timeType interface {
		IsAdjustedToUTC() bool
		TimeUnit() schema.TimeUnitType
	}
)

// bindType chooses how the column's values become text: integers and decimals exactly, floats with the
// fewest digits that give the same float, true and false, 2006-01-02, RFC 3339, and strings as they
// are. Bytes without a type are taken for strings.
func (c *column) bindType() error {
	switch c.of.PhysicalType() {
	case parquet.Types.Boolean:
		c.bare = true
		c.read = reading(strconv.AppendBool)
	case parquet.Types.Int32:
		form, err := c.integerForm(32)
		c.read = reading(func(dst []byte, v int32) []byte { return form(dst, int64(v)) })
		return err
	case parquet.Types.Int64:
		form, err := c.integerForm(64)
		c.read = reading(form)
		return err
	case parquet.Types.Int96: // of old writers, who mean UTC
		c.read = reading(func(dst []byte, v parquet.Int96) []byte {
			day, nanosecond := int64(binary.LittleEndian.Uint32(v[8:]))-2_440_588, int64(binary.LittleEndian.Uint64(v[:8]))
			return time.Unix(day*86_400, nanosecond).UTC().AppendFormat(dst, instant)
		})
	case parquet.Types.Float:
		c.bare = true
		c.read = reading(func(dst []byte, v float32) []byte { return appendFloat(dst, float64(v), 32) })
	case parquet.Types.Double:
		c.bare = true
		c.read = reading(func(dst []byte, v float64) []byte { return appendFloat(dst, v, 64) })
	case parquet.Types.ByteArray:
		form, err := c.bytesForm()
		c.read = reading(func(dst []byte, v parquet.ByteArray) []byte { return form(dst, v) })
		return err
	case parquet.Types.FixedLenByteArray:
		form, err := c.bytesForm()
		c.read = reading(func(dst []byte, v parquet.FixedLenByteArray) []byte { return form(dst, v) })
		return err
	default:
		return c.unknown()
	}
	return nil
}

func (c *column) unknown() error {
	return fmt.Errorf("values of type %s, %s, cannot be read", c.of.PhysicalType(), c.of.LogicalType())
}

func (c *column) integerForm(bits int) (func(dst []byte, v int64) []byte, error) {
	switch logical := c.of.LogicalType().(type) {
	case decimalType:
		c.bare = true
		scale := int(logical.Scale())
		if scale < 0 || scale > filecodec.MaxRecord {
			return nil, c.unknown()
		}
		return func(dst []byte, v int64) []byte {
			var digits [20]byte
			return appendDecimal(dst, strconv.AppendInt(digits[:0], v, 10), scale)
		}, nil
	case integerType:
		c.bare = true
		switch {
		case logical.IsSigned():
			return func(dst []byte, v int64) []byte { return strconv.AppendInt(dst, v, 10) }, nil
		case bits == 32:
			return func(dst []byte, v int64) []byte { return strconv.AppendUint(dst, uint64(uint32(v)), 10) }, nil
		}
		return func(dst []byte, v int64) []byte { return strconv.AppendUint(dst, uint64(v), 10) }, nil
	case timestampType:
		layout := localTime
		if logical.IsAdjustedToUTC() || logical.IsFromConvertedType() {
			layout = instant
		}
		switch logical.TimeUnit() {
		case schema.TimeUnitMillis:
			return func(dst []byte, v int64) []byte { return time.UnixMilli(v).UTC().AppendFormat(dst, layout) }, nil
		case schema.TimeUnitMicros:
			return func(dst []byte, v int64) []byte { return time.UnixMicro(v).UTC().AppendFormat(dst, layout) }, nil
		case schema.TimeUnitNanos:
			return func(dst []byte, v int64) []byte { return time.Unix(0, v).UTC().AppendFormat(dst, layout) }, nil
		}
	case timeType:
		unit, known := map[schema.TimeUnitType]int64{schema.TimeUnitMillis: 1e6, schema.TimeUnitMicros: 1e3, schema.TimeUnitNanos: 1}[logical.TimeUnit()]
		if known {
			return func(dst []byte, v int64) []byte { return appendTime(dst, v, unit) }, nil
		}
	case schema.DateLogicalType, *schema.DateLogicalType:
		return func(dst []byte, v int64) []byte { return time.Unix(v*86_400, 0).UTC().AppendFormat(dst, time.DateOnly) }, nil
	case nil, schema.NoLogicalType, schema.UnknownLogicalType, schema.NullLogicalType, *schema.NoLogicalType, *schema.UnknownLogicalType, *schema.NullLogicalType:
		c.bare = true
		return func(dst []byte, v int64) []byte { return strconv.AppendInt(dst, v, 10) }, nil
	}
	return nil, c.unknown()
}

func (c *column) bytesForm() (func(dst, v []byte) []byte, error) {
	switch logical := c.of.LogicalType().(type) {
	case decimalType:
		c.bare = true
		scale := int(logical.Scale())
		if scale < 0 || scale > filecodec.MaxRecord {
			return nil, c.unknown()
		}
		number := new(big.Int)
		return func(dst, v []byte) []byte { return appendBigDecimal(dst, number, v, scale) }, nil
	case schema.UUIDLogicalType, *schema.UUIDLogicalType:
		return appendUUID, nil
	case schema.Float16LogicalType, *schema.Float16LogicalType:
		c.bare = true
		return func(dst, v []byte) []byte {
			return appendFloat(dst, float64(float16.FromBits(binary.LittleEndian.Uint16(v)).Float32()), 32)
		}, nil
	case schema.IntervalLogicalType, *schema.IntervalLogicalType:
		return nil, c.unknown()
	}
	c.textual = true
	return func(dst, v []byte) []byte { return append(dst, v[:min(len(v), filecodec.MaxRecord+1)]...) }, nil
}

// appendFloat writes an exponent only where the digits alone would be long, so that whole numbers are
// written as such.
func appendFloat(dst []byte, f float64, bits int) []byte {
	format := byte('f')
	if size := math.Abs(f); size != 0 && (size < 1e-6 || size >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, bits)
}

// appendDecimal moves the decimal point into the digits of a whole number.
func appendDecimal(dst, digits []byte, scale int) []byte {
	if digits[0] == '-' {
		dst, digits = append(dst, '-'), digits[1:]
	}
	if scale == 0 {
		return append(dst, digits...)
	}
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = append(bytes.Repeat([]byte{'0'}, missing), digits...)
	}
	point := len(digits) - scale
	return append(append(append(dst, digits[:point]...), '.'), digits[point:]...)
}

// maxDecimal bytes of a decimal: ten times what any database has.
const maxDecimal = 256

// appendBigDecimal reads the two's complement of a whole number, high byte first.
func appendBigDecimal(dst []byte, number *big.Int, v []byte, scale int) []byte {
	if len(v) == 0 || len(v) > maxDecimal {
		panic(fmt.Sprintf("a decimal of %d bytes", len(v)))
	}
	number.SetBytes(v)
	if v[0] >= 0x80 {
		number.Sub(number, new(big.Int).Lsh(big.NewInt(1), uint(8*len(v))))
	}
	return appendDecimal(dst, number.Append(nil, 10), scale)
}

func appendUUID(dst, v []byte) []byte {
	for i, to := range []int{4, 6, 8, 10, 16} {
		from := 0
		if i > 0 {
			dst = append(dst, '-')
			from = 2 + 2*i
		}
		dst = hex.AppendEncode(dst, v[from:to])
	}
	return dst
}

// appendTime writes a time of day; what is outside a day stays outside.
func appendTime(dst []byte, v, unit int64) []byte {
	perSecond := int64(time.Second) / unit
	second, rest := v/perSecond, v%perSecond*unit
	if v < 0 {
		return strconv.AppendInt(dst, v, 10)
	}
	dst = fmt.Appendf(dst, "%02d:%02d:%02d", second/3600, second/60%60, second%60)
	if rest == 0 {
		return dst
	}
	return bytes.TrimRight(fmt.Appendf(dst, ".%09d", rest), "0")
}
