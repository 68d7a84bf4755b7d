#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

static std::string said;

extern "C" const char *caught(void) {
    std::mutex mutex;
    std::thread thread([&] {
        std::lock_guard<std::mutex> lock(mutex);
        try {
            throw std::runtime_error("C++");
        } catch (const std::exception &e) {
            said = std::string("a thread has caught an exception of ") + e.what();
        }
    });
    thread.join();
    return said.c_str();
}
