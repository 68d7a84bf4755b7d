module github.com/projectcalico/calico/suites

go 1.26
