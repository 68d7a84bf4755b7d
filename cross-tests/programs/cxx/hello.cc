// Needs the C++ library and its unwinder at run time: streams, strings, an exception through a frame with a destructor.
#include <iostream>
#include <stdexcept>
#include <string>

struct Tracer {
    ~Tracer() { std::cout << "unwound, "; }
};

static void fail(const std::string &why) {
    Tracer tracer;
    throw std::runtime_error("an exception of " + why);
}

int main() {
    try {
        fail("C++");
    } catch (const std::exception &e) {
        std::cout << "caught " << e.what() << std::endl;
    }
}
