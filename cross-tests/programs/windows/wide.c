/* A program that starts at wmain, and reads a resource. */
#include <stdio.h>
#include <windows.h>

int wmain(int argc, wchar_t **argv) {
    HRSRC resource = FindResourceW(NULL, MAKEINTRESOURCEW(7), (LPCWSTR)RT_RCDATA);
    HGLOBAL data = resource ? LoadResource(NULL, resource) : NULL;
    printf("%d %ls %.*s\n", argc, argv[1], resource ? (int)SizeofResource(NULL, resource) : 4, data ? (char *)data : "none");
    return 0;
}
