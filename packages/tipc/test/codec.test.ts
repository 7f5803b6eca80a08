import '@sock/tipc';
