package store_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/stretchr/testify/mock"

	"github.com/projectcalico/calico/suites/store"
)

func TestStore(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Store Suite")
}

// What mockery writes of the interface has these.
type fake struct{ mock.Mock }

func (f *fake) Get(key string) (string, error) {
	args := f.Called(key)
	return args.String(0), args.Error(1)
}

func (f *fake) Watch(...string) <-chan string { return nil }

var _ = Describe("Names", func() {
	It("asks for each key", func() {
		stored := new(fake)
		stored.On("Get", mock.Anything).Return("name", nil)
		Expect(store.Names(stored, []string{"a", "b"})).To(Equal([]string{"name", "name"}))
	})
	DescribeTable("any number of keys", func(count int) {
		stored := new(fake)
		stored.On("Get", mock.Anything).Return("name", nil)
		Expect(store.Names(stored, make([]string, count))).To(HaveLen(count))
	}, Entry("none", 0), Entry("one", 1))
})
