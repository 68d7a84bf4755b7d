int dep(void);
