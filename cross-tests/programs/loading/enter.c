/* enter ROOT VARIABLES PROGRAM [ARGUMENT]...: becomes a program in a root, with these variables (one word, spaces between them)
   and no others. Static, so that variables for loaders are none for its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char *variables[16] = { 0 };
	int count = 0;

	if (argc < 4)
		return 125;
	for (char *word = strtok(argv[2], " "); word && count < 15; word = strtok(NULL, " "))
		variables[count++] = word;
	if (chroot(argv[1]) || chdir("/")) {
		perror(argv[1]);
		return 125;
	}
	execve(argv[3], argv + 3, variables);
	perror(argv[3]);
	return 126;
}
