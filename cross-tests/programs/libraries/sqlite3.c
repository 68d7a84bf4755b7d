// Asks a database in memory.
#include <sqlite3.h>
#include <stdio.h>

int main(void) {
	sqlite3 *database;
	sqlite3_stmt *statement;
	if (sqlite3_open(":memory:", &database) || sqlite3_prepare_v2(database, "select 6 * 7", -1, &statement, NULL))
		return 1;
	if (sqlite3_step(statement) != SQLITE_ROW)
		return 1;
	printf("SQLite says %d\n", sqlite3_column_int(statement, 0));
	sqlite3_finalize(statement);
	return sqlite3_close(database);
}
