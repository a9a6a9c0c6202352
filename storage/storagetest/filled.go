package storagetest

import (
	"fmt"
	"reflect"
	"time"
)

// filled returns a value of which every field says something that no other
// field says, so that a field that is not kept, or is kept as another, shows.
// It fills what is added to a type later, too.
func filled[T any]() T {
	var v T
	(&filler{}).fill(reflect.ValueOf(&v).Elem())
	return v
}

type filler struct{ n int }

func (f *filler) fill(v reflect.Value) {
	f.n++
	if _, ok := v.Interface().(time.Time); ok {
		v.Set(reflect.ValueOf(noon().Add(time.Duration(f.n)*time.Second + time.Nanosecond)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprint("text-", f.n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(f.n))
	case reflect.Uint8:
		v.SetUint(uint64(f.n % 256))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		f.fill(v.Index(0))
		f.fill(v.Index(1))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		f.fill(key)
		f.fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(v.Field(i))
		}
	default:
		panic(fmt.Sprintf("nothing says how to fill a %s", v.Type()))
	}
}
