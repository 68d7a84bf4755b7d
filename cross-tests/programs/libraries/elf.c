// Writes an ELF file with a section that libelf compresses, and reads it.
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void) {
	char path[] = "/tmp/elf-XXXXXX";
	static char text[4096];
	int file = mkstemp(path);
	elf_version(EV_CURRENT);
	Elf *elf = elf_begin(file, ELF_C_WRITE, NULL);
	GElf_Ehdr header = {.e_type = ET_REL, .e_machine = EM_BPF, .e_version = EV_CURRENT};
	if (!elf || !gelf_newehdr(elf, ELFCLASS64))
		return 1;
	header.e_ident[EI_DATA] = ELFDATA2MSB;
	gelf_update_ehdr(elf, &header);
	Elf_Scn *section = elf_newscn(elf);
	Elf_Data *data = elf_newdata(section);
	data->d_buf = text;
	data->d_size = sizeof text;
	GElf_Shdr shape;
	gelf_getshdr(section, &shape);
	shape.sh_type = SHT_PROGBITS;
	gelf_update_shdr(section, &shape);
	if (elf_update(elf, ELF_C_NULL) < 0 || elf_compress(section, ELFCOMPRESS_ZLIB, 0) != 1 || elf_update(elf, ELF_C_WRITE) < 0)
		return 1;
	elf_end(elf);
	elf = elf_begin(file, ELF_C_READ, NULL);
	if (!elf || !gelf_getehdr(elf, &header) || header.e_machine != EM_BPF)
		return 1;
	elf_end(elf);
	unlink(path);
	puts("an ELF file was written and read");
	return 0;
}
