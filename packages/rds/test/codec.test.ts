import '@sock/rds';
