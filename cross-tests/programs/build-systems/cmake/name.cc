#include <string>

extern "C" const char *name()
{
	static const std::string name = std::string("C") + "++";
	return name.c_str();
}
