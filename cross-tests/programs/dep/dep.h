const char *dep(void);
